"""The stage contract: what a folder holds, when it counts as done, and what is refused."""

import json
import math
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell
from support.errors import refused
from support.project import Project

from lib.common import lock
from lib.stage import fingerprint, provenance
from lib.stage.finished import read_stage, tidy
from lib.stage.stage import Stage


def toy(project: Project) -> None:
    """00_make writes data.txt; 01_use reads it."""
    project.notebook(
        "00_make",
        "size: int = 3  # [1, 100] characters\nrate: float = 1.0\nseed: int = 7\nprivacy_seed: int | None = None\n",
        'stage.path("data.txt").write_text("x" * size)',
        'stage.finish({"size": size}, {"epsilon": None})',
    )
    project.notebook("01_use", 'inputs: dict[str, str] = {"data": "00_make"}\n', "stage.finish({}, {})")


def begin(project: Project, name: str = "00_make", **values: object) -> Stage:
    """A stage that has begun and not finished."""
    path = project.root / "notebooks" / f"{name}.ipynb"
    cells = json.loads(path.read_text())["cells"]
    namespace: dict[str, object] = {}
    for cell in cells[1:3]:
        exec(cell["source"], namespace)
    return Stage.begin(name, namespace | values)


def test_a_finished_stage_holds_what_it_made_and_where_it_comes_from(here: Project) -> None:
    toy(here)
    namespace = here.play("00_make", run="toy", rate=2)
    assert namespace["rate"] == 2.0 and isinstance(namespace["rate"], float)  # written back in its declared type
    folder = here.stage("00_make")
    written = {"data.txt", "params.yaml", "metrics.json", "privacy.json", "provenance.json", "done.json"}
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == written
    assert yaml.safe_load((folder / "params.yaml").read_text())["rate"] == 2.0
    assert json.loads((folder / "metrics.json").read_text()) == {"size": 3}
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["seeds"] == {"seed": 7, "privacy_seed": None}
    assert provenance["packages"]["PyYAML"] and provenance["machine"]["cores"] >= 1
    assert provenance["peak_memory_mb"] > 10 and provenance["commit"] is None  # the toy project is under no git
    done = here.done("00_make")
    assert done["outputs"]["data.txt"]["bytes"] == 3 and "provenance.json" in done["outputs"]
    assert done["edited"] is None


def test_the_input_is_recorded_by_its_content(here: Project) -> None:
    toy(here)
    here.play("00_make", run="toy")
    stage = here.play("01_use", run="toy")["stage"]
    assert stage.inputs["data"] == here.stage("00_make")
    assert here.done("01_use")["made_from"]["inputs"] == {"00_make": here.done("00_make")["digest"]}
    with refused("stage.no_such_input", name="dta") as error:
        stage.inputs["dta"]
    assert "did you mean data?" in error.value.remedy


def test_the_same_outputs_have_the_same_digest_and_others_another(here: Project) -> None:
    toy(here)
    here.play("00_make", run="toy")
    first = here.done("00_make")["digest"]
    here.play("00_make", run="toy")
    assert here.done("00_make")["digest"] == first
    here.play("00_make", run="toy", size=4)
    assert here.done("00_make")["digest"] != first


def test_an_input_that_is_not_done_is_named_with_the_command(here: Project) -> None:
    toy(here)
    with refused("stage.input_not_done", name="data", value="00_make") as error:
        begin(here, "01_use", run="toy")
    assert error.value.remedy == "run ./run_all.sh PRESET --run toy --only 00_make"
    here.preset("toy", n00_make="")
    with refused("stage.input_not_done") as error:
        begin(here, "01_use", run="toy")
    assert error.value.remedy == "run ./run_all.sh toy --only 00_make"


def test_a_stage_that_could_not_begin_again_is_no_longer_done(here: Project) -> None:
    toy(here)
    here.play("00_make", run="toy")
    here.play("01_use", run="toy")
    (here.stage("00_make") / "done.json").unlink()
    with refused("stage.input_not_done", value="00_make"):
        begin(here, "01_use", run="toy")
    assert not (here.stage("01_use") / "done.json").exists()


def test_beginning_again_takes_the_old_outputs_away(here: Project) -> None:
    toy(here)
    here.play("00_make")
    (here.stage("00_make", "quick") / "left.txt").write_text("from an older notebook")
    stage = begin(here)
    assert {p.name for p in stage.folder.iterdir()} == {".lock", "params.yaml"}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("size", 0, "stage.out_of_range"),
        ("size", "3", "stage.wrong_type"),
        ("run", "../elsewhere", "stage.name"),
        ("stage", "01_use", "stage.of_another_notebook"),
        ("stage", "00_make/../x", "stage.name"),
    ],
)
def test_parameters_set_by_hand_are_checked_too(here: Project, name: str, value: object, code: str) -> None:
    toy(here)
    with refused(code, name=name, value=value):
        begin(here, **{name: value})


def test_a_parameter_that_is_not_there_is_named(here: Project) -> None:
    toy(here)
    with refused("stage.missing_parameter", name="size"):
        Stage.begin("00_make", {"run": "quick", "stage": "00_make", "rate": 1.0})
    with refused("stage.unknown_notebook", name="00_mak") as error:
        Stage.begin("00_mak", {})
    assert error.value.remedy == "did you mean 00_make?"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (math.nan, "stage.metric_not_finite"),
        (np.float32("inf"), "stage.metric_not_finite"),
        ({"eps8": 1.0}, "stage.metric_no_number"),
        ("low", "stage.metric_no_number"),
        (True, "stage.metric_no_number"),
    ],
)
def test_a_metric_is_a_finite_number_or_the_stage_is_not_done(here: Project, value: object, code: str) -> None:
    toy(here)
    stage = begin(here)
    with refused(code, name="loss"):
        stage.finish({"loss": value}, {})
    assert not (stage.folder / "done.json").exists()
    stage.finish({"loss": np.float32(0.5), "n": np.int64(3)}, {})
    assert json.loads((stage.folder / "metrics.json").read_text()) == {"loss": 0.5, "n": 3}


def test_privacy_that_is_not_json_is_refused(here: Project) -> None:
    toy(here)
    stage = begin(here)
    with refused("stage.privacy_not_json"):
        stage.finish({}, {"epsilon": math.inf})
    assert not (stage.folder / "done.json").exists()


def test_a_folder_in_use_is_refused_and_free_when_its_holder_ends(here: Project) -> None:
    toy(here)
    holder = lock.hold(here.stage("00_make") / ".lock", "x")
    with refused("common.in_use", name="stage 00_make of run toy", value=str(os.getpid())):
        begin(here, run="toy")
    holder.close()
    begin(here, run="toy")


def test_beginning_again_sweeps_up_half_written_files(here: Project) -> None:
    toy(here)
    begin(here)._release()
    folder = here.stage("00_make", "quick")
    (folder / "checkpoints" / "key").mkdir(parents=True)
    for part in (".metrics.json.17.part", "checkpoints/key/.state.17.part"):
        (folder / part).touch()  # of a process that was killed
    begin(here)
    assert not list(folder.rglob("*.part"))


def test_the_cell_that_begins_can_be_run_again(here: Project) -> None:
    toy(here)
    namespace = here.play("00_make")
    first = begin(here)
    namespace["stage"] = first  # the notebook gives its stage this name
    second = Stage.begin("00_make", namespace)
    second.finish({}, {})
    assert second.id == "00_make" and here.done("00_make", "quick")


def test_checkpoints_stay_for_the_same_stage_alone_until_it_is_done(here: Project) -> None:
    toy(here)
    here.play("00_make", run="toy")
    (begin(here, "01_use", run="toy").checkpoints / "step").write_text("10")
    assert (begin(here, "01_use", run="toy").checkpoints / "step").read_text() == "10"
    here.play("00_make", run="toy", size=5)  # a changed input
    assert not (begin(here, "01_use", run="toy").checkpoints / "step").exists()

    (begin(here).checkpoints / "step").write_text("10")
    assert not (begin(here, seed=8).checkpoints / "step").exists()  # a changed parameter
    assert not (begin(here).checkpoints / "step").exists()  # the old ones were removed, not kept aside

    stage = begin(here)
    (stage.checkpoints / "step").write_text("10")
    stage.finish({}, {})
    assert not (stage.folder / "checkpoints").exists()
    assert not any("checkpoints" in name for name in here.done("00_make", "quick")["outputs"])


def test_checkpoints_depend_on_the_files_that_are_used(here: Project) -> None:
    toy(here)
    (here.root / "own.csv").write_text("a")

    def step() -> Path:
        stage = begin(here)
        stage.uses("own.csv")
        return stage.checkpoints / "step"

    step().write_text("10")
    assert step().exists()
    (here.root / "own.csv").write_text("b")
    assert not step().exists()


def test_checkpoints_depend_on_content_that_is_in_no_file(here: Project) -> None:
    toy(here)
    stage = begin(here)
    folders = [stage.checkpoints]
    for content in ("a", "b", "a"):
        stage = begin(here)
        stage.uses_content(content)
        folders.append(stage.checkpoints)
    assert folders[1] == folders[3] and len(set(folders)) == 3


def killed(*given: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("moment", ["before it is done", "while its checkpoints are removed"])
def test_whoever_is_killed_while_finishing_has_all_checkpoints_or_a_whole_stage(
    here: Project, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    toy(here)
    stage = begin(here, run="toy")
    for name in ("token", "draw"):
        (stage.checkpoints / name).write_text(name)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        if moment == "before it is done":
            patch.setattr(fingerprint, "digest", killed)
        else:
            patch.setattr(shutil, "rmtree", lambda path, **given: path.exists() and killed())
        stage.finish({}, {})
    done = (stage.folder / "done.json").exists()
    assert done == (moment != "before it is done")
    if not done:
        tidy(stage.folder)  # which leaves it alone
        assert {path.name for path in begin(here, run="toy").checkpoints.iterdir()} == {"token", "draw"}
        return
    assert read_stage(stage.folder).outputs.keys() == {"params.yaml", "metrics.json", "privacy.json", "provenance.json"}
    assert not (stage.folder / "checkpoints").exists()
    tidy(stage.folder)
    assert not list(stage.folder.rglob("token"))


def test_a_stage_that_was_killed_as_soon_as_it_was_done_is_tidied(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy(here)
    stage = begin(here, run="toy")
    (stage.checkpoints / "draw").write_text("1")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lib.stage.stage.remove_folder", killed)
        stage.finish({}, {})
    assert list(stage.folder.rglob("draw")) and here.done("00_make")["outputs"].keys().isdisjoint({"draw"})
    tidy(stage.folder)
    assert not list(stage.folder.rglob("draw"))


def test_what_a_killed_attempt_left_half_written_is_removed(here: Project) -> None:
    toy(here)
    stage = begin(here)
    halves = [stage.folder / ".data.txt.1.part", stage.checkpoints / ".draw.json.1.part"]
    for half in halves:
        half.touch()
    (stage.folder / ".adapter.x1.part").mkdir()
    begin(here)
    assert not list(stage.folder.rglob("*.part"))


def test_relative_paths_are_from_the_project(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    toy(here)
    monkeypatch.chdir(here.root / "notebooks")
    (here.root / "own.csv").write_text("a")
    assert begin(here).uses("own.csv") == here.root / "own.csv"
    with refused("stage.no_such_file", name="other.csv"):
        Stage._current.uses("other.csv")


def test_figures_are_no_reason_for_others_to_run_again(here: Project) -> None:
    from matplotlib.figure import Figure

    toy(here)
    begin(here).finish({}, {})
    without = here.done("00_make", "quick")["digest"]
    stage = begin(here)
    figure = Figure()
    figure.subplots().plot([1, 2])
    assert stage.figure("loss", figure) == stage.folder / "figures" / "loss.png"
    stage.finish({}, {})
    assert here.done("00_make", "quick")["digest"] == without


def test_a_stage_shows_its_values(here: Project) -> None:
    toy(here)
    stage = begin(here)
    cells = re.findall(r'<td style="text-align: left">(.*?)</td>', stage._repr_html_())
    assert cells[cells.index("size") :][:3] == ["size", "3", "characters"]
    assert "results/quick/00_make" in stage._repr_html_() and "size" in repr(stage)


# Code run by hand: what ran must be what is saved, or the front door runs the stage again.


def run_by_hand(shell: InteractiveShell, project: Project, name: str, edit: tuple[str, str] = ("", "")) -> None:
    for cell in json.loads((project.root / "notebooks" / f"{name}.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            shell.run_cell(cell["source"].replace(*edit) if edit[0] else cell["source"], store_history=True)


def test_a_notebook_run_by_hand_as_saved_counts(here: Project, shell: InteractiveShell) -> None:
    toy(here)
    run_by_hand(shell, here, "00_make", ("size: int = 3", "size: int = 9"))  # a changed parameter is no edited code
    assert here.done("00_make", "quick")["edited"] is None
    assert here.done("00_make", "quick")["made_from"]["parameters"]["size"] == 9


def test_unsaved_code_is_recorded(here: Project, shell: InteractiveShell) -> None:
    toy(here)
    run_by_hand(shell, here, "00_make", ('"x" * size', '"y" * size'))
    assert "differ from the saved notebook" in here.done("00_make", "quick")["edited"]


def test_lib_edited_under_a_running_kernel_is_recorded(here: Project, shell: InteractiveShell) -> None:
    toy(here)
    for module in (here.root / "lib").rglob("*.py"):
        os.utime(module, (0, 0))
    (here.root / "lib" / "stage" / "stage.py").touch()
    run_by_hand(shell, here, "00_make")
    assert "in a kernel older than lib.stage.stage" in here.done("00_make", "quick")["edited"]


def test_the_commit_is_that_of_the_begin(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever pulls while a stage runs does not change what ran."""
    toy(here)
    commits = iter(["begun", "pulled"])
    monkeypatch.setattr(provenance, "commit", lambda root: {"commit": next(commits), "dirty": False})
    begin(here, run="toy").finish({}, {})
    assert json.loads((here.stage("00_make") / "provenance.json").read_text())["commit"] == "begun"


def test_a_module_that_changed_before_it_was_imported_is_recorded(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy(here)
    module = here.root / "lib" / "toy_late.py"
    module.write_text("VALUE = 1\n")
    here.notebook("00_make", "size: int = 3  # [1, 100]\n", "def late():\n    import lib.toy_late")
    stage = begin(here, run="toy")
    module.write_text("VALUE = 2\n")
    stage.finish({}, {})
    assert "lib.toy_late" in here.done("00_make")["edited"]
    module.write_text("VALUE = 1\n")
    begin(here, run="toy").finish({}, {})
    assert here.done("00_make")["edited"] is None
