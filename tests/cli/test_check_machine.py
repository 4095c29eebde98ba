"""The command that checks the machine: its table, its JSON and its exit code."""

from pathlib import Path

import pytest
import torch

from lib.cli import __main__
from lib.common.files import read_json
from lib.machine import checks
from lib.machine.check import Check, Differs


def wrong(device: torch.device) -> dict:
    raise Differs("off by one")


TOYS = (
    Check("right", "does right", lambda device: {"rate": 2.5}),
    Check("wrong", "does wrong", wrong),
    Check("away", "is away", lambda device: {}, lambda device: "needs a GPU"),
)


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "CHECKS", TOYS)


def test_a_failed_check_is_told_and_is_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "machine.json"
    assert __main__.main(["check-machine", "--device", "cpu", "--json", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:2] == ["pass", "right"] and "rate 2.5" in line for line in lines)
    assert any(line.split()[:2] == ["fail", "wrong"] and "off by one" in line for line in lines)
    assert any(line.split() == ["absent", "away", "needs", "a", "GPU"] for line in lines)
    assert lines[-1] == "1 passed, 1 failed, 1 absent, on cpu" and lines[0].startswith("processor")
    written = read_json(path)
    assert written["machine"]["device"] == "cpu" and written["machine"]["cores"] >= 1
    assert [one["outcome"] for one in written["checks"]] == ["pass", "fail", "absent"]


def test_chosen_checks_alone_are_done_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["check-machine", "--device", "cpu", "--only", "right", "--only", "away"]) == 0
    assert "1 passed, 0 failed, 1 absent" in capsys.readouterr().out
    assert __main__.main(["check-machine", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["right", "wrong", "away"]
    assert __main__.main(["check-machine", "--only", "rihgt"]) == 2
    assert "right" in capsys.readouterr().err
