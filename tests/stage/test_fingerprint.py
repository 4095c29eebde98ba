"""What a stage is made from, and that noise is not drawn again because code changed."""

import json
import sys

import pytest
from support.project import Project, edit

from lib.cli import __main__
from lib.pipeline.graph import FORCED
from lib.pipeline.preflight import preflight
from lib.report import stage_view
from lib.stage import condition, fingerprint
from lib.stage.finished import read_stage
from lib.stage.stage import Stage

NOISE = {"kind": "Gaussian", "noise_multiplier": 1.0, "sampling_probability": 1.0, "count": 1}
USES = (
    "from lib.plots.style import axes\nfrom lib.common.progress import Bar\n"
    "from lib.generation.generate import open_engine\nfrom lib.toy_trainer import train"
)


@pytest.fixture
def trained(here: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """00_make -> 10_train.private, 10_train.open -> 20_judge, all done: the first training drew noise."""
    monkeypatch.delitem(sys.modules, "lib.generation.engines.vllm_engine", raising=False)  # as in a kernel of its own
    (here.root / "lib" / "toy_trainer.py").write_text("def train():\n    return 1\n")
    edge = 'inputs: dict[str, str] = {"data": "00_make"}\n'
    here.notebook("00_make", "size: int = 3  # [1, 100]\n")
    here.notebook("10_train", edge + "steps: int = 3  # [1, 100]\n", USES)
    here.notebook("20_judge", 'inputs: dict[str, str] = {"a": "10_train.private", "b": "10_train.open"}\n', USES)
    here.preset("toy", n00_make="", n10_train__private="", n10_train__open="", n20_judge="")
    for node in preflight("toy", "toy").nodes.values():
        stage = Stage.begin(node.notebook, dict(node.parameters))
        stage.path("artefact.txt").write_text(node.id)
        mechanism = NOISE if node.id == "10_train.private" else {"kind": "NonPrivate"}
        stage.finish({}, {"events": [{"stage": node.id, "mechanism": mechanism}]})
    return here


def reasons(*overrides: str, force: tuple[str, ...] = ()) -> tuple[dict[str, str], dict[str, str]]:
    """Codes of what would run, and of what is kept though older."""
    graph = preflight("toy", "toy", overrides)
    steps = graph.plan(graph.nodes, force)
    kept = graph.kept([id for id in graph.nodes if id not in steps])
    return {id: reason.code for id, reason in steps.items()}, {id: reason.code for id, reason in kept.items()}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("lib/plots/style.py", "def ", "ADDED = 1\n\n\ndef "),
        ("lib/stage/tracking.py", "def ", "ADDED = 1\n\n\ndef "),
        ("lib/stage/redaction.py", "def ", "ADDED = 1\n\n\ndef "),
        ("lib/stage/provenance.py", "def ", "ADDED = 1\n\n\ndef "),
        ("lib/common/progress.py", "class ", "ADDED = 1\n\n\nclass "),
        ("lib/common/lock.py", "def ", "ADDED = 1\n\n\ndef "),
        ("lib/generation/engines/vllm_engine.py", "class ", "ADDED = 1\n\n\nclass "),
    ],
)
def test_what_cannot_change_a_result_runs_nothing(trained: Project, file: str, old: str, new: str) -> None:
    text = (trained.root / file).read_text()
    (trained.root / file).write_text(text.replace(f"\n{old}", f"\n{new}", 1))
    assert "ADDED" in (trained.root / file).read_text()
    assert reasons() == ({}, {})


def test_an_engine_that_was_opened_counts(trained: Project) -> None:
    path = trained.stage("20_judge") / "done.json"
    done = json.loads(path.read_text())
    done["made_from"]["modules"]["lib.generation.engines.vllm_engine"] = "as it was"
    path.write_text(json.dumps(done))
    assert reasons() == ({"20_judge": "stage.lib_changed"}, {})


def test_a_stage_that_drew_noise_is_kept_when_code_changed_and_others_are_made_again(trained: Project) -> None:
    edit(trained.root / "lib/toy_trainer.py", "1", "2")
    assert reasons() == (
        {"10_train.open": "stage.lib_changed", "20_judge": "stage.lib_changed"},
        {"10_train.private": "stage.lib_changed"},
    )


def test_a_changed_notebook_and_a_new_parameter_of_it_draw_no_noise_again(trained: Project) -> None:
    edit(trained.root / "notebooks/10_train.ipynb", "steps: int = 3", "more: float = 0.5\\nsteps: int = 3")
    steps, kept = reasons()
    assert steps["10_train.open"] == "stage.parameters_renewed" and kept == {
        "10_train.private": "stage.parameters_renewed"
    }
    steps, kept = reasons("10_train.private.more=0.25")
    assert steps["10_train.private"] == "stage.parameters_changed" and kept == {}


def test_how_a_server_is_reached_runs_nothing_again(trained: Project) -> None:
    edit(trained.root / "notebooks/10_train.ipynb", "steps: int = 3", "timeout: float = 9.0\\nsteps: int = 3")
    assert reasons() == reasons("10_train.private.timeout=5.0") == ({}, {})
    path = trained.stage("10_train.private") / "done.json"
    done = json.loads(path.read_text())
    done["made_from"]["parameters"]["timeout"] = 7.0  # an older version counted it
    path.write_text(json.dumps(done))
    assert reasons() == ({}, {})


def test_a_parameter_an_input_a_lost_output_and_force_make_it_again(trained: Project) -> None:
    assert reasons("10_train.private.steps=4")[0]["10_train.private"] == "stage.parameters_changed"
    assert reasons(force=("10_train.private",))[0]["10_train.private"] == FORCED.code
    (trained.stage("10_train.private") / "artefact.txt").unlink()
    assert reasons()[0]["10_train.private"] == "stage.output_missing"
    stage = Stage.begin("00_make", dict(preflight("toy", "toy").nodes["00_make"].parameters))
    stage.path("artefact.txt").write_text("other records")
    stage.finish({}, {})
    assert reasons()[0]["10_train.private"] == "stage.input_changed"


def test_a_dry_run_and_the_end_table_name_what_an_older_version_made(
    trained: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = trained.stage("10_train.private") / "provenance.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"commit": "0123456789abcdef"}))
    edit(trained.root / "lib/toy_trainer.py", "1", "2")
    capsys.readouterr()
    assert __main__.main(["toy", "--dry-run"]) == 0
    kept = [line for line in capsys.readouterr().out.splitlines() if line.startswith("kept")]
    assert len(kept) == 1 and "10_train.private" in kept[0] and "0123456789" in kept[0] and "toy_trainer" in kept[0]
    assert __main__.main(["toy", "--only", "10_train.private"]) == 0
    shown = capsys.readouterr().out
    assert "everything is up to date" in shown and "older version (commit 0123456789)" in shown


def test_a_parameter_that_a_newer_notebook_no_longer_has_draws_no_noise_again(trained: Project) -> None:
    edit(trained.root / "notebooks/10_train.ipynb", "steps: int = 3  # [1, 100]\\n", "")
    steps, kept = reasons()
    assert kept == {"10_train.private": "stage.parameters_renewed"} and "10_train.private" not in steps


def test_a_stage_that_noise_was_drawn_on_is_kept_too_when_its_code_changed(trained: Project) -> None:
    edit(trained.root / "notebooks/00_make.ipynb", "size: int = 3", "more: int = 1  # [0, 9]\\nsize: int = 3")
    steps, kept = reasons()
    assert kept == {"00_make": "stage.parameters_renewed"} and not {"00_make", "10_train.private"} & steps.keys()
    (trained.stage("10_train.private") / "done.json").unlink()  # nothing holds it any more
    assert reasons()[0]["00_make"] == "stage.parameters_renewed"


def test_paid_work_goes_on_though_a_module_that_it_does_not_open_changed(trained: Project) -> None:
    def key() -> str:
        return fingerprint.work_key(preflight("toy", "toy").nodes["10_train.private"].made, {})

    before = key()
    path = trained.root / "lib/generation/engines/vllm_engine.py"
    path.write_text(path.read_text() + "\n\nADDED = 1\n")
    assert key() == before
    edit(trained.root / "lib/toy_trainer.py", "1", "2")
    assert key() != before


def test_the_report_names_what_an_older_version_made(trained: Project) -> None:
    folder = trained.stage("10_train.private")
    assert condition.older(read_stage(folder)) is None
    edit(trained.root / "lib/toy_trainer.py", "1", "2")
    assert "10_train.private was made by an older version" in stage_view.view(read_stage(folder)).notes[0]
    assert condition.older(read_stage(trained.stage("10_train.open"))) is None  # it will be made again
