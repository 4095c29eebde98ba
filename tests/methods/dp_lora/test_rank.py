"""A process beside the first one: what it says before it ends. What it computes is tested in test_ranks.py."""

import os
import threading
from pathlib import Path

import pytest

from lib.common.errors import DoppelError
from lib.methods.dp_lora import launch, rank, ranks
from lib.stage import redaction


@pytest.fixture(autouse=True)
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What shows exceptions stays as it is, and no thread watches for the end of this process' parent."""
    monkeypatch.setattr(redaction, "install", lambda: None)
    monkeypatch.setattr(rank, "_end_with", lambda parent: None)


def given(folder: Path) -> dict:
    return {
        "model": str(folder), "dtype": "float32", "device": "cpu", "threads": 1, "folder": str(folder), "rank": 1,
        "processes": 2, "split_weights": False, "parent": os.getppid(),
    }  # fmt: skip


def test_a_refusal_is_handed_to_the_first_process(tmp_path: Path) -> None:
    first = threading.Thread(target=ranks.Ranks, args=[tmp_path, 0, 2])
    first.start()
    with pytest.raises(DoppelError):
        rank.main(given(tmp_path))  # there is no model
    first.join(10)
    assert "unknown model" in (tmp_path / ranks.TOLD.format(1)).read_text()


def test_an_end_without_the_folder_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "join", lambda *given: None)  # the folder went away later
    with pytest.raises(DoppelError):
        rank.main(given(tmp_path / "gone"))
    assert not (tmp_path / "gone").exists()
