"""One stage of a chain: what keeps a finished stage, and what does not."""

import errno
import json
import os
from pathlib import Path

import pytest
from support.project import Project

from lib.common.files import write_json
from lib.pipeline import run_stage
from lib.pipeline.preflight import preflight
from lib.stage import fingerprint
from lib.stage.stage import Stage

NOISE = {"kind": "Gaussian", "noise_multiplier": 1.0, "sampling_probability": 1.0, "count": 1}


@pytest.fixture
def finished(here: Project) -> Project:
    """A run whose one stage drew noise."""
    here.notebook("10_train", "steps: int = 3  # [1, 100]\n")
    here.preset("toy", n10_train="")
    node = preflight("toy", "toy").nodes["10_train"]
    stage = Stage.begin("10_train", dict(node.parameters))
    stage.finish({}, {"events": [{"stage": "10_train", "mechanism": NOISE}]})
    return here


def chain(project: Project, parameters: dict) -> None:
    """The chain that the front door writes, with the parameters of its start."""
    node = {"notebook": "10_train", "parameters": parameters, "inputs": [], "gpu": 0}
    write_json(project.root / "results" / "toy" / "chain.json", {"stages": {"10_train": node}})
    (project.root / "results" / "toy" / ".chain").mkdir(exist_ok=True)


def test_a_refusal_before_the_kernel_starts_takes_no_finished_stage_away(finished: Project) -> None:
    chain(finished, {"run": "toy", "stage": "10_train", "gone": 1})  # renamed since the chain began
    assert run_stage.main("toy", "10_train", "1", str(os.getppid())) == 1
    assert "gone" in (finished.root / "results/toy/.chain/10_train.failed").read_text()
    assert finished.done("10_train")


def test_a_stage_that_drew_noise_is_kept_though_its_notebook_changed(finished: Project) -> None:
    finished.notebook("10_train", "steps: int = 3  # [1, 100]\n", "print('another version')")
    chain(finished, {"run": "toy", "stage": "10_train", "steps": 3})
    assert run_stage.main("toy", "10_train", "1", str(os.getppid())) == 0
    assert finished.done("10_train") and not (finished.stage("10_train") / "notebook.ipynb").exists()


def test_code_that_changed_while_a_stage_started_costs_a_stage_without_noise_alone(finished: Project) -> None:
    folder = finished.stage("10_train")
    other = {"parameters": {}, "notebook": "another", "modules": {}, "optional": []}
    assert run_stage._unfit(folder, other) is None
    privacy = folder / "privacy.json"
    privacy.write_text(json.dumps({"events": [{"stage": "10_train", "mechanism": {"kind": "NonPrivate"}}]}))
    assert "changed while it started" in run_stage._unfit(folder, other)
    assert fingerprint.drew_noise(folder) is False


def failure(project: Project, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> str:
    """What the front door would print of a stage in whose execution this is raised."""

    def execute(*_: object) -> str:
        raise error

    chain(project, {"run": "toy", "stage": "10_train", "steps": 5})
    monkeypatch.setattr(run_stage, "_execute", execute)
    monkeypatch.setattr(run_stage.redaction, "install", lambda: None)
    assert run_stage.main("toy", "10_train", "1", str(os.getppid())) == 1
    return (project.root / "results/toy/.chain/10_train.failed").read_text()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "10_train: No space left on device (ENOSPC); make room"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError"),
        (KeyboardInterrupt(), "stopped from the keyboard"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_was_killed_is_called_killed(
    finished: Project, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    shown = failure(finished, monkeypatch, error)
    assert said in shown and "log: results/toy/10_train/log.txt" in shown and "out of memory" not in shown


def test_where_not_even_the_failure_can_be_written_it_is_said_at_the_terminal(
    finished: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, *_: object) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert failure(finished, monkeypatch, KeyboardInterrupt()) == ""
    assert "No space left on device (ENOSPC)" in capfd.readouterr().out
