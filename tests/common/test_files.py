"""Files that are whole or absent."""

import errno
import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.errors import refused

from lib.common import files


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    files.write_json(tmp_path / "new" / "x.json", {"a": [1, "é", None]})
    assert files.read_json(tmp_path / "new" / "x.json") == {"a": [1, "é", None]}
    files.write_array(tmp_path / "x.npy", np.arange(6.0).reshape(2, 3))
    assert np.load(tmp_path / "x.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_others_cannot_read_is_refused_and_the_old_file_stays(tmp_path: Path, value: float) -> None:
    files.write_json(tmp_path / "x.json", 1)
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "x.json", value)
    assert files.read_json(tmp_path / "x.json") == 1


def killed(*given: object) -> None:
    raise KeyboardInterrupt


def test_a_write_that_is_cut_off_leaves_the_old_file_and_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_atomic(tmp_path / "x", "old")
    monkeypatch.setattr(files.os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomic(tmp_path / "x", "new")
    assert (tmp_path / "x").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".x.{os.getpid()}.part", "x"]
    files.remove_parts(tmp_path, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_folder_goes_at_once_and_what_is_left_of_it_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_json(tmp_path / "work" / "a.json", 1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files.shutil, "rmtree", lambda path, **given: path.exists() and killed())
        files.remove_folder(tmp_path / "work")
    files.write_json(tmp_path / "work" / "b.json", 2)
    files.remove_parts(tmp_path, "other")
    assert sorted(path.name for path in tmp_path.rglob("*.json")) == ["a.json", "b.json"]
    files.remove_parts(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["work", "b.json"]
    files.remove_folder(tmp_path / "work")
    files.remove_folder(tmp_path / "work")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_named_and_leaves_no_half_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_atomic(tmp_path / "x", "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with refused("common.system", name=str(tmp_path / "x"), value="ENOSPC"):
        files.write_atomic(tmp_path / "x", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "x"] and (tmp_path / "x").read_text() == "old"


def test_a_hash_is_that_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)) * 1000)
    printed = subprocess.run(["sha256sum", str(tmp_path / "x")], capture_output=True, text=True).stdout
    assert files.sha256(tmp_path / "x") == printed.split()[0]
