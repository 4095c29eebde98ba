"""A checkpoint comes back whole, replaces the one before it, and no code in a file is run."""

import pickle
from pathlib import Path

import pytest
import torch

from lib.methods.dp_lora import checkpoint
from lib.methods.dp_lora.checkpoint import Progress

PROGRESS = Progress(2, batch_sizes=[3, 0], overlaps=[0], records=4, tokens=90, curve=[[0, 2.5], [2, 2.25]])


def test_state_and_progress_come_back(tmp_path: Path) -> None:
    file = tmp_path / "training.pt"
    checkpoint.save(file, {"weights": torch.zeros(3)}, Progress())
    checkpoint.save(file, {"weights": torch.tensor([1.0, -0.5]), "seed": 7}, PROGRESS)
    state, progress = checkpoint.read(file)
    assert progress == PROGRESS and state.keys() == {"weights", "seed"} and state["seed"] == 7
    assert state["weights"].tolist() == [1.0, -0.5]
    assert [path.name for path in tmp_path.iterdir()] == ["training.pt"]


def test_what_could_not_be_written_leaves_the_earlier_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "training.pt"
    checkpoint.save(file, {"step": 1}, PROGRESS)
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save(file, {"step": lambda: 2}, Progress())
    assert checkpoint.read(file)[0] == {"step": 1}


class Harmful:
    def __reduce__(self) -> tuple:
        return print, ("code of the file was run",)


def test_code_in_a_file_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"progress": Harmful()}, tmp_path / "training.pt")
    with pytest.raises(pickle.UnpicklingError):
        checkpoint.read(tmp_path / "training.pt")
    assert capsys.readouterr().out == ""
