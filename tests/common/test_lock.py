"""Locks: held by another process, waited for, and free as soon as their holder ends."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.errors import refused

from lib.common.lock import hold
from lib.common.paths import ROOT

HOLDER = "import sys; from lib.common.lock import hold; from pathlib import Path; f = hold(Path(sys.argv[1]), 'x'); "
HOLDER += "print(1, flush=True); input()"


def test_a_lock_of_another_process_is_refused_by_its_id_and_free_when_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "folder" / ".lock"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], cwd=ROOT, **pipes)
    holder.stdout.readline()
    with refused("common.in_use", name="stage a", value=str(holder.pid)):
        hold(path, "stage a")
    holder.kill()
    holder.wait()
    hold(path, "stage a").close()
    hold(path, "stage a").close()  # closing releases it


def test_waiting_for_a_lock_is_reported_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = hold(tmp_path / "a", "stage a")
    threading.Timer(0.3, first.close).start()
    hold(tmp_path / "a", "stage a", patience=30).close()
    assert capsys.readouterr().err.count("waiting up to 30 s") == 1
