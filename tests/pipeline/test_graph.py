"""The plan of a chain: content decides what reruns, and the reason is reported. No kernel is started here."""

import json
import shutil
from collections.abc import Callable

import pytest
from support.errors import refused
from support.project import Project, edit, toy_chain

from lib.pipeline.graph import FORCED, Graph
from lib.pipeline.preflight import preflight
from lib.stage.stage import Stage

ENDS = ("02_end.a", "02_end.b")


def finish_all(project: Project) -> None:
    """Every stage of the chain done, without a kernel."""
    for node in preflight("toy", "toy").nodes.values():
        stage = Stage.begin(node.notebook, dict(node.parameters))
        stage.path("artefact.txt").write_text(json.dumps(sorted(node.parameters.items())))
        if node.notebook == "00_make":
            stage.uses("own.csv")
        stage.finish({}, {})


def markdown(project: Project) -> None:
    edit(project.root / "notebooks/01_grow.ipynb", "A toy.", "Another sentence.")


def outputs_saved(project: Project) -> None:
    edit(project.root / "notebooks/01_grow.ipynb", '"execution_count": null', '"execution_count": 7')


def comments(project: Project) -> None:
    edit(project.root / "notebooks/01_grow.ipynb", "stage.finish(", "# the end\\nstage.finish(")
    edit(project.root / "lib/toy_b.py", "return", '"""Twice."""\n    # or so\n    return')


def times(project: Project) -> None:
    for path in [*project.root.rglob("*.ipynb"), *project.root.rglob("*.py"), *project.root.rglob("*.yaml")]:
        path.touch()
    (project.root / "own.csv").touch()


def copied_results(project: Project) -> None:
    results = project.root / "results"
    shutil.copytree(results, project.root / "copy", copy_function=shutil.copyfile)
    shutil.rmtree(results)
    (project.root / "copy").rename(results)


def unrelated(project: Project) -> None:
    edit(project.root / "lib/toy_c.py", "1", "2")
    edit(project.root / "lib/cli/__main__.py", "usage=_USAGE", "usage=None")


def overridden_default(project: Project) -> None:
    edit(project.root / "notebooks/01_grow.ipynb", "factor: float = 2.0", "factor: float = 4.0")


@pytest.mark.parametrize(
    "change", [markdown, outputs_saved, comments, times, copied_results, unrelated, overridden_default]
)
def test_what_changes_nothing_reruns_nothing(here: Project, change: Callable[[Project], None]) -> None:
    toy_chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    change(here)
    graph = preflight("toy", "toy")
    assert graph.plan(graph.nodes) == {}


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("notebooks/01_grow.ipynb", "grow(data)", "grow(data[1:])", {"01_grow.fast": "stage.notebook_changed"}),
        ("notebooks/02_end.ipynb", "samples: int = 1", "samples: int = 9", {"02_end.a": "stage.parameters_changed"}),
        ("params/toy/02_end.b.yaml", "2", "3", {"02_end.b": "stage.parameters_changed"}),
        ("lib/toy_b.py", "2 *", "3 *", {"01_grow.fast": "stage.lib_changed"}),
        ("own.csv", "a", "b", {"00_make": "stage.file_changed"}),
        ("results/toy/01_grow.fast/artefact.txt", "factor", "", {"01_grow.fast": "stage.output_missing"}),
        ("results/toy/02_end.a/done.json", '"digest"', "", {"02_end.a": "stage.not_done"}),
        ("results/toy/02_end.a/done.json", "null", '"run by hand"', {"02_end.a": "stage.edited"}),
    ],
)
def test_what_a_stage_is_made_from_reruns_it(here: Project, path: str, old: str, new: str, expected: dict) -> None:
    toy_chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    edit(here.root / path, old, new)
    graph = preflight("toy", "toy")
    plan = graph.plan(graph.nodes)
    assert {id: reason.code for id, reason in plan.items() if reason.code != "stage.waiting"} == expected
    changed = set(expected)
    for id, node in graph.nodes.items():  # and what comes after it may have to
        if changed & set(node.inputs):
            assert plan[id].code == "stage.waiting" and next(n for n in node.inputs if n in changed) in str(plan[id])
            changed.add(id)
    assert set(plan) == changed


def test_an_input_made_anew_reruns_what_reads_it(here: Project) -> None:
    toy_chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    node = preflight("toy", "toy").nodes["01_grow.fast"]
    stage = Stage.begin("01_grow", dict(node.parameters))
    stage.path("artefact.txt").write_text("the same parameters, other noise")
    stage.finish({}, {})
    graph = preflight("toy", "toy")
    plan = graph.plan(graph.nodes)
    assert {id: reason.code for id, reason in plan.items()} == dict.fromkeys(ENDS, "stage.input_changed")
    assert all("01_grow.fast" in str(reason) for reason in plan.values())


def test_a_plan_for_some_stages(here: Project) -> None:
    toy_chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    graph: Graph = preflight("toy", "toy", ["01_grow.factor=4"])
    assert list(graph.plan(["02_end.b"])) == ["01_grow.fast", "02_end.b"]
    assert graph.plan(["00_make"]) == {} and graph.plan(["00_make"], force=["00_make"]) == {"00_make": FORCED}
    assert graph.find("02_end", "--only") == ["02_end.a", "02_end.b"]
    with refused("pipeline.unknown_stage", name="--only", value="02_edn") as error:
        graph.find("02_edn", "--only")
    assert error.value.remedy == "did you mean 02_end?" and "params/toy" in error.value.sentence
