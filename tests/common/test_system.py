"""Errors of the operating system as refusals, a home folder for whoever has none, and memory that goes back."""

import errno
import os
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.errors import refused

from lib.common import system


def test_an_error_of_the_system_is_a_sentence_with_file_cause_and_remedy(tmp_path: Path) -> None:
    with refused("common.system", name=str(tmp_path), value="EISDIR") as error, system.refusals():
        tmp_path.read_text()
    assert error.value.where == str(tmp_path) and "EISDIR" in error.value.sentence and error.value.remedy


def test_an_error_without_a_file_is_about_what_was_at_work(tmp_path: Path) -> None:
    with refused("common.system", name=str(tmp_path), value="ENOSPC"), system.refusals(tmp_path):
        raise OSError(errno.ENOSPC, "a message that may hold anything")


def test_an_error_that_a_library_derived_is_left_to_its_caller() -> None:
    with pytest.raises(OSError, match="its own words"), system.refusals():
        raise OSError("its own words")


def test_a_folder_that_cannot_be_made_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refused("common.system", name=str(tmp_path / "file"), value="ENOTDIR"):
        system.check_writable(tmp_path / "file" / "new")
    system.check_writable(tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.os, "access", lambda path, mode: False)  # the tests may run as root, who may do all
    with refused("common.system", name=str(tmp_path), value="EACCES"):
        system.check_writable(tmp_path / "new")


@pytest.mark.parametrize("home", ["/proc/nope", "a file"])
def test_another_folder_stands_for_a_home_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: str
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / home))
    system.ensure_home(tmp_path / "cache" / "home")
    assert os.environ["HOME"] == str(tmp_path / "cache" / "home") and Path.home().is_dir()
    assert "home folder cannot be written" in capsys.readouterr().err
    system.ensure_home(tmp_path / "another")  # it is as good as any now
    assert os.environ["HOME"] == str(tmp_path / "cache" / "home") and capsys.readouterr().err == ""


def test_a_user_without_any_home_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda user: {}[user])  # as in a container, under a number alone
    system.ensure_home(tmp_path / "home")
    assert os.environ["HOME"] == str(tmp_path / "home")


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="another C library")
def test_memory_that_a_thread_freed_goes_back() -> None:
    process, kept = psutil.Process(), []

    def work() -> None:
        arrays = [np.ones(8_000) for _ in range(4_000)]  # 64 kB each: from the thread's arena
        kept.extend(arrays[::50])  # and a hole on either side of each that stays

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    before = process.memory_info().rss
    system.give_back_memory()
    assert before - process.memory_info().rss > 150e6 and len(kept) == 80
