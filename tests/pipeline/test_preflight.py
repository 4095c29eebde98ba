"""The chain: pre-flight, and what reruns and why. No kernel is started here."""

import json
import re
import shutil
import sys
from collections.abc import Callable

import pytest
from support.project import Project, edit, toy_chain

from lib.cli import __main__
from lib.common.errors import DoppelError, Reason
from lib.pipeline.graph import FORCED, Graph
from lib.pipeline.preflight import preflight
from lib.stage.stage import Stage

# Pre-flight: everything that is wrong with a preset is told before any kernel starts.


def test_every_fault_of_every_file_is_told_at_once(project: Project) -> None:
    toy_chain(project)
    project.preset(
        "bad",
        n00_make="siez: 3\nrun: mine\n",
        n01_grow__fast="inputs: {data: 00_mak}\nfactor: 0.5e-3\n",
        n01_grow__slow="inputs: {data: 00_make, more: 7}\nfactor: 11\n",
        n02_end__a="inputs: {model: 01_grow.fsat}\nsamples: yes\n",
        n02_ende="",
        n02_end__b="api_key: sk-abcdEFGH1234ijklMNOP\n",
        n02_end__c="samples: 1.5\n",
    )
    ended = project.run("bad")
    assert ended.returncode == 2 and "nothing was started" in ended.stderr
    for expected in (
        "params/bad/00_make.yaml: unknown parameter 'siez'; did you mean size?",
        "params/bad/00_make.yaml: run comes from --run and from the file's name; remove it",
        "params/bad/01_grow.fast.yaml: inputs: data: 00_mak: no such stage in params/bad; did you mean 00_make?",
        "params/bad/01_grow.slow.yaml: factor = 11; must be in (0, 10]",
        "params/bad/01_grow.slow.yaml: inputs = {'data': '00_make', 'more': 7} is dict; must be dict[str, str]",
        "params/bad/02_end.a.yaml, line 2: samples: yes: YAML reads this as true or false",
        "params/bad/02_ende.yaml: no notebook '02_ende'; did you mean 02_end?",
        "params/bad/02_end.b.yaml: api_key looks like a secret; keys come from the environment",
        "params/bad/02_end.c.yaml: samples = 1.5 is float; must be int",
    ):
        assert expected in ended.stderr
    assert "sk-abcd" not in ended.stderr
    assert not (project.root / "results").exists()


@pytest.mark.parametrize(
    ("preset", "overrides", "message"),
    [
        ("tyo", [], "no preset 'tyo'; presets: bad, cycle, toy"),
        ("../toy", [], "no preset '../toy'"),
        ("cycle", [], "inputs go round: "),
        ("bad", [], "params/bad/00_make.yml would be passed over; rename it to 00_make.yaml"),
        ("toy", ["01_grw.factor=1"], "--set 01_grw.factor: no stage '01_grw' in params/toy; did you mean 01_grow?"),
        ("toy", ["01_grow.fast.fctor=1"], "--set 01_grow.fast: unknown parameter 'fctor'; did you mean factor?"),
        ("toy", ["01_grow.fast.factor=1e-4"], "write 1.0e-4"),
        ("toy", ["01_grow.factor=11"], "--set 01_grow.fast: factor = 11; must be in (0, 10]"),
        ("toy", ["02_end.a.inputs={model: 01_grow}"], "inputs: model: 01_grow: no such stage in params/toy"),
        ("toy", ["00_make.tracking=online"], "set WANDB_API_KEY, or WANDB_MODE=offline"),
        ("toy", ["02_end.a.stage=x"], "comes from --run and from the file's name"),
        ("toy", ["samples=1"], "write STAGE.KEY=VALUE"),
        ("toy", ["02_end.a.samples"], "write STAGE.KEY=VALUE"),
    ],
)
def test_what_pre_flight_refuses(
    here: Project, monkeypatch: pytest.MonkeyPatch, preset: str, overrides: list[str], message: str
) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv("NETRC", "none")
    toy_chain(here)
    here.preset("cycle", n01_grow__a="inputs: {data: 01_grow.b}\n", n01_grow__b="inputs: {data: 01_grow.a}\n")
    here.preset("bad", n00_make="")
    (here.root / "params" / "bad" / "00_make.yml").touch()
    with pytest.raises(DoppelError, match=re.escape(message)):
        preflight(preset, "toy", overrides)


def test_a_preset_is_given_by_name_or_by_a_path_to_its_folder(here: Project, capsys: pytest.CaptureFixture) -> None:
    toy_chain(here)
    linked = here.root.parent / f"{here.root.name}-linked"
    linked.symlink_to(here.root)
    paths = ("params/toy", "./params/toy/", f"{here.root}/params/toy", f"{linked}/params/toy/")
    for given in ("toy", "toy/", "./toy", *paths):
        assert __main__.main([given, "--dry-run"]) == 0, given
        assert "4 of 4 stages would run" in capsys.readouterr().out, given
    for given in ("/elsewhere/params/toy", "../params/toy", "params", f"{here.root}/params", "params/toy/01", "."):
        assert __main__.main([given, "--dry-run"]) == 2, given
        told = capsys.readouterr().err
        assert "--run" not in told, given
        if given != "params":
            assert f"{given}: a preset is a folder of {here.root}/params, given by name or path" in told
    for given in ("..", "two words"):
        assert __main__.main([given]) == 2 and f"no preset {given!r}; presets: toy" in capsys.readouterr().err


def test_a_notebook_at_fault_is_told_once(here: Project) -> None:
    toy_chain(here)
    here.notebook("02_end", "samples: int = 1 + 1\n")
    with pytest.raises(DoppelError) as error:
        preflight("toy", "toy")
    assert len(str(error.value).splitlines()) == 1 and "notebooks/02_end.ipynb" in str(error.value)


def test_a_check_of_a_notebook_is_asked(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(parameters: dict) -> None:
        raise DoppelError(f"factor = {parameters['factor']} cannot be reached; the smallest is 5")

    toy_chain(here)
    monkeypatch.setitem(sys.modules["lib.pipeline.preflight"].CHECKS, "01_grow", too_much)
    with pytest.raises(DoppelError, match=r"params/toy/01_grow\.fast\.yaml: factor = 3\.0 cannot be reached"):
        preflight("toy", "toy")


def test_overrides_reach_one_variant_or_all(here: Project) -> None:
    toy_chain(here)
    nodes = preflight("toy", "toy", ["02_end.samples=5", "02_end.b.samples=6", "01_grow.fast.device=x=y"]).nodes
    assert [nodes[id].parameters["samples"] for id in ("02_end.a", "02_end.b")] == [5, 6]
    assert nodes["01_grow.fast"].parameters["device"] == "x=y"
    assert nodes["02_end.b"].parameters["stage"] == "02_end.b" and nodes["02_end.b"].parameters["run"] == "toy"


# What reruns: content decides, and the reason is told.


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
    reason = Reason("stage.input_changed", "its input changed: 01_grow.fast")
    assert graph.plan(graph.nodes) == {"02_end.a": reason, "02_end.b": reason}


def test_a_plan_for_some_stages(here: Project) -> None:
    toy_chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    graph: Graph = preflight("toy", "toy", ["01_grow.factor=4"])
    assert list(graph.plan(["02_end.b"])) == ["01_grow.fast", "02_end.b"]
    assert graph.plan(["00_make"]) == {} and graph.plan(["00_make"], force=["00_make"]) == {"00_make": FORCED}
    assert graph.find("02_end", "--only") == ["02_end.a", "02_end.b"]
    with pytest.raises(
        DoppelError, match=re.escape("--only 02_edn: no such stage in params/toy; did you mean 02_end?")
    ):
        graph.find("02_edn", "--only")
