"""The chain: pre-flight, what reruns and why, and real runs that are killed, forced and refused."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from conftest import Project

from lib.chain import Graph, preflight
from lib.errors import DoppelError
from lib.execute import Log
from lib.files import sha256
from lib.provenance import usable_cores
from lib.stage import Stage

PRIVATE = "Xanthippe-Quillfeather-0451"


def chain(project: Project) -> None:
    """00_make -> 01_grow.fast -> 02_end.a, 02_end.b; 01_grow uses lib.toy_b, late and through lib.toy_a."""
    for name, code in {
        "toy_a": "def grow(x):\n    from lib.toy_b import twice\n\n    return twice(x)\n",
        "toy_b": "def twice(x):\n    return 2 * x\n",
        "toy_c": "UNRELATED = 1\n",
    }.items():
        (project.root / "lib" / f"{name}.py").write_text(code)
    project.notebook(
        "00_make",
        'size: int = 3  # [1, 100]\ntracking: Literal["offline", "online", "off"] = "offline"\n',
        'stage.path("data.txt").write_text("x" * size)',
        'stage.finish({"size": size}, {"epsilon": None})',
    )
    project.notebook(
        "01_grow",
        'inputs: dict[str, str] = {"data": "00_make"}\nfactor: float = 2.0  # (0, 10]\ndevice: str = "cpu"\n',
        "from lib.toy_a import grow\n\n"
        'data = (stage.inputs["data"] / "data.txt").read_text()\nstage.path("grown.txt").write_text(grow(data))',
        'stage.finish({"factor": factor}, {"epsilon": 1.0})',
    )
    project.notebook(
        "02_end",
        'inputs: dict[str, str] = {"model": "01_grow"}\nsamples: int = 1\n',
        'import sys\n\nstage.path("synthetic.jsonl").write_text("{}")\nstage.path("python").write_text(sys.executable)',
        'stage.finish({"records": samples, "held_out_loss": 3.25}, {"epsilon": 7.96})',
    )
    edge = "inputs: {model: 01_grow.fast}\n"
    project.preset("toy", n00_make="", n01_grow__fast="factor: 3\n", n02_end__a=edge, n02_end__b=edge + "samples: 2\n")


# Pre-flight: everything that is wrong with a preset is told before any kernel starts.


def test_every_fault_of_every_file_is_told_at_once(project: Project) -> None:
    chain(project)
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
    chain(here)
    here.preset("cycle", n01_grow__a="inputs: {data: 01_grow.b}\n", n01_grow__b="inputs: {data: 01_grow.a}\n")
    here.preset("bad", n00_make="")
    (here.root / "params" / "bad" / "00_make.yml").touch()
    with pytest.raises(DoppelError, match=re.escape(message)):
        preflight(preset, "toy", overrides)


def test_a_notebook_at_fault_is_told_once(here: Project) -> None:
    chain(here)
    here.notebook("02_end", "samples: int = 1 + 1\n")
    with pytest.raises(DoppelError) as error:
        preflight("toy", "toy")
    assert len(str(error.value).splitlines()) == 1 and "notebooks/02_end.ipynb" in str(error.value)


def test_a_check_of_a_notebook_is_asked(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(parameters: dict) -> None:
        raise DoppelError(f"factor = {parameters['factor']} cannot be reached; the smallest is 5")

    chain(here)
    monkeypatch.setitem(sys.modules["lib.chain"].CHECKS, "01_grow", too_much)
    with pytest.raises(DoppelError, match=r"params/toy/01_grow\.fast\.yaml: factor = 3\.0 cannot be reached"):
        preflight("toy", "toy")


def test_overrides_reach_one_variant_or_all(here: Project) -> None:
    chain(here)
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


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


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
    edit(project.root / "lib/cli.py", "usage=_USAGE", "usage=None")


def overridden_default(project: Project) -> None:
    edit(project.root / "notebooks/01_grow.ipynb", "factor: float = 2.0", "factor: float = 4.0")


@pytest.mark.parametrize(
    "change", [markdown, outputs_saved, comments, times, copied_results, unrelated, overridden_default]
)
def test_what_changes_nothing_reruns_nothing(here: Project, change: Callable[[Project], None]) -> None:
    chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    change(here)
    graph = preflight("toy", "toy")
    assert graph.plan(graph.nodes) == {}


AFTER = "if 01_grow.fast makes something new"


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("notebooks/01_grow.ipynb", "grow(data)", "grow(data[1:])", {"01_grow.fast": "its notebook changed"}),
        ("notebooks/02_end.ipynb", "samples: int = 1", "samples: int = 9", {"02_end.a": "parameters changed: samples"}),
        ("params/toy/02_end.b.yaml", "2", "3", {"02_end.b": "parameters changed: samples"}),
        ("lib/toy_b.py", "2 *", "3 *", {"01_grow.fast": "lib changed: lib.toy_b"}),
        ("own.csv", "a", "b", {"00_make": "a file that it reads changed: own.csv"}),
        (
            "results/toy/01_grow.fast/artefact.txt",
            "factor",
            "",
            {"01_grow.fast": "its output is missing or cut short: artefact.txt"},
        ),
        ("results/toy/02_end.a/done.json", '"digest"', "", {"02_end.a": "not done yet"}),
        ("results/toy/02_end.a/done.json", "null", '"run by hand"', {"02_end.a": "run by hand"}),
    ],
)
def test_what_a_stage_is_made_from_reruns_it(here: Project, path: str, old: str, new: str, expected: dict) -> None:
    chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    edit(here.root / path, old, new)
    graph = preflight("toy", "toy")
    plan = graph.plan(graph.nodes)
    assert {id: reason for id, reason in plan.items() if not reason.startswith("if ")} == expected
    changed = set(expected)
    for id, node in graph.nodes.items():  # and what comes after it may have to
        if changed & set(node.inputs):
            assert plan[id] == f"if {next(n for n in node.inputs if n in changed)} makes something new"
            changed.add(id)
    assert set(plan) == changed


def test_an_input_made_anew_reruns_what_reads_it(here: Project) -> None:
    chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    node = preflight("toy", "toy").nodes["01_grow.fast"]
    stage = Stage.begin("01_grow", dict(node.parameters))
    stage.path("artefact.txt").write_text("the same parameters, other noise")
    stage.finish({}, {})
    graph = preflight("toy", "toy")
    reason = "its input changed: 01_grow.fast"
    assert graph.plan(graph.nodes) == {"02_end.a": reason, "02_end.b": reason}


def test_a_plan_for_some_stages(here: Project) -> None:
    chain(here)
    (here.root / "own.csv").write_text("a")
    finish_all(here)
    graph: Graph = preflight("toy", "toy", ["01_grow.factor=4"])
    assert list(graph.plan(["02_end.b"])) == ["01_grow.fast", "02_end.b"]
    assert graph.plan(["00_make"]) == {} and graph.plan(["00_make"], force=["00_make"]) == {"00_make": "forced"}
    assert graph.find("02_end", "--only") == ["02_end.a", "02_end.b"]
    with pytest.raises(
        DoppelError, match=re.escape("--only 02_edn: no such stage in params/toy; did you mean 02_end?")
    ):
        graph.find("02_edn", "--only")


# Real runs, through Snakemake and papermill.


def contents(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path) for path in folder.rglob("[!.]*") if path.is_file()}


def test_a_chain_runs_once_and_then_only_what_changed(project: Project) -> None:
    chain(project)
    elsewhere = project.root / "jupyter" / "kernels" / "python3"  # another project has registered its own kernel
    elsewhere.mkdir(parents=True)
    (elsewhere / "kernel.json").write_text('{"argv": ["/nowhere/python"], "display_name": "x", "language": "python"}')
    ended = project.run("toy", "--jobs", "2", JUPYTER_PATH=str(project.root / "jupyter"))
    assert ended.returncode == 0, ended.stderr
    rows = [re.split(r"\s{2,}", line) for line in ended.stdout.splitlines() if "results/toy" in line]
    assert rows == [
        ["02_end.a", "7.9600", "1", "3.250", "results/toy/02_end.a"],
        ["02_end.b", "7.9600", "2", "3.250", "results/toy/02_end.b"],
    ]
    assert ended.stderr == ""  # nothing of Snakemake's or papermill's own
    assert (project.stage("02_end.a") / "python").read_text() == sys.executable  # not the notebook's kernel
    assert (project.stage("01_grow.fast") / "grown.txt").read_text() == "xxxxxx"

    before = contents(project.root / "results")
    code = """import sys; from lib.cli import main; code = main(["toy"])
print(sorted({"torch", "transformers", "snakemake", "papermill", "wandb"} & set(sys.modules))); sys.exit(code)"""
    again = subprocess.run(
        [sys.executable, "-c", code], cwd=project.root, env=project.env, capture_output=True, text=True
    )
    assert again.returncode == 0 and again.stdout.splitlines()[-1] == "[]"
    assert "everything is up to date" in again.stdout and "02_end.b  7.9600" in again.stdout
    assert contents(project.root / "results") == before

    # forced, 00_make makes the same again: nothing after it runs
    ended = project.run("toy", "--force", "00_make")
    assert ended.returncode == 0 and "00_make  starts (not done yet)" in ended.stdout
    assert ended.stdout.count("up to date: its inputs are what they were") == 3 and ended.stdout.count("starts") == 1

    # one parameter of one variant, and --only leaves the rest alone
    (project.root / "slow").mkdir()
    (project.root / "slow" / "config.yaml").write_text("cores: 1\n")
    ended = project.run("params/toy/", "--only", "02_end.b", "--set", "02_end.samples=7", "--profile", "slow")
    assert ended.returncode == 0 and ended.stdout.count("starts") == 1 and "up to date" not in ended.stdout
    assert "02_end.b  7.9600         7 " in ended.stdout and "02_end.a  7.9600         1 " in ended.stdout


def test_a_dry_run_tells_the_reasons_and_starts_nothing(project: Project) -> None:
    chain(project)
    ended = project.run("toy", "--dry-run", "--only", "01_grow")
    assert ended.returncode == 0 and "2 of 4 stages would run; nothing was started" in ended.stdout
    assert re.search(r"would run  00_make +not done yet\nwould run  01_grow.fast  not done yet\n", ended.stdout)
    assert not (project.root / "results").exists()
    ended = project.run("toy", "--only", "00_make", "--force", "02_end.a")
    assert ended.returncode == 2 and "--force 02_end.a: --only leaves it out" in ended.stderr


def failing(project: Project, error: str) -> None:
    chain(project)
    project.notebook(
        "01_grow",
        'inputs: dict[str, str] = {"data": "00_make"}\nfactor: float = 1.0\n',
        f'private = "-".join(["Xanthippe", "Quillfeather", "0451"])\n{error}',
        "stage.finish({}, {})",
        words="Look each name up in a table.",
    )


def everything(project: Project, ended: subprocess.CompletedProcess) -> str:
    """All that a run left or said."""
    files = [path for path in (project.root / "results").rglob("*") if path.is_file()]
    return ended.stdout + ended.stderr + "".join(path.read_bytes().decode("utf-8", "replace") for path in files)


def test_a_failed_stage_says_where_and_shows_no_private_text(project: Project) -> None:
    failing(project, "{}[private]")
    ended = project.run("toy", WANDB_MODE="offline")
    assert ended.returncode == 1
    told = ended.stderr
    assert "01_grow.fast failed: in the cell after: Look each name up in a table." in told
    assert "KeyError: message hidden" in told and "{}[private]" in told
    assert "log: results/toy/01_grow.fast/log.txt" in told and "what is done stays done" in told
    assert project.done("00_make") and not (project.stage("01_grow.fast") / "done.json").exists()
    assert "02_end" not in ended.stdout  # nothing after it was tried
    assert PRIVATE not in everything(project, ended)

    # the control: the same run without the guard is found out
    assert PRIVATE in everything(project, project.run("toy", DOPPEL_SHOW_ERRORS="1"))


def test_a_refusal_is_told_as_it_is_and_a_notebook_must_finish(project: Project) -> None:
    failing(project, "from lib.errors import DoppelError\n\nraise DoppelError('steps = 0; must be positive')")
    ended = project.run("toy")
    assert ended.returncode == 1
    assert "in a table.\nDoppelError: steps = 0; must be positive\nlog: " in ended.stderr
    path = failing(project, "") or project.root / "notebooks/01_grow.ipynb"
    edit(path, "stage.finish({}, {})", "pass")
    ended = project.run("toy")
    assert ended.returncode == 1 and "ended without stage.finish(...)" in ended.stderr


def until(condition: Callable[[], object]) -> object:
    """What the condition gives once it gives something."""
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def waiting(project: Project) -> tuple[subprocess.Popen, int, int]:
    """A front door whose one stage waits for a file; with the pids of its runner and of its kernel."""
    project.notebook(
        "00_make",
        "",
        "import os\nimport time\n\n"
        '(stage.folder.parent / "pids").write_text(f"{os.getppid()} {os.getpid()} ")\n'
        'while not (stage.folder.parent / "go").exists():\n    time.sleep(0.05)',
        "stage.finish({}, {})",
    )
    project.preset("toy", n00_make="")
    pids = project.root / "results" / "toy" / "pids"
    door = subprocess.Popen(
        project.command("toy"), cwd=project.root, env=project.env, stderr=subprocess.PIPE, text=True
    )
    until(lambda: pids.exists() and pids.read_text().endswith(" "))
    runner, kernel = map(int, pids.read_text().split())
    return door, runner, kernel


@pytest.mark.parametrize("victim", ["kernel", "runner", "front door"])
def test_a_killed_run_is_taken_up_by_the_next(project: Project, victim: str) -> None:
    door, runner, kernel = waiting(project)
    left = [psutil.Process(runner), psutil.Process(kernel)]
    os.kill({"kernel": kernel, "runner": runner, "front door": door.pid}[victim], signal.SIGKILL)
    told = door.communicate(timeout=60)[1]
    assert door.returncode == (-9 if victim == "front door" else 1)
    if victim == "kernel":
        assert "its kernel died: killed, or out of memory; run again" in told
    if victim == "runner":
        assert "00_make failed: it ended without a word" in told
    assert not (project.stage("00_make") / "done.json").exists()

    # at once: what the kill left ends, though its stage would wait for ever, and the next run takes over
    again = subprocess.Popen(project.command("toy"), cwd=project.root, env=project.env, stdout=subprocess.PIPE)
    assert not psutil.wait_procs(left, timeout=30)[1]
    (project.root / "results" / "toy" / "go").touch()
    again.communicate(timeout=60)
    assert again.returncode == 0 and project.done("00_make")["edited"] is None


def test_a_second_front_door_is_refused_and_does_not_disturb(project: Project) -> None:
    door, _, _ = waiting(project)
    second = project.run("toy")
    assert second.returncode == 2 and f"run toy is in use by process {door.pid}" in second.stderr
    (project.root / "results" / "toy" / "go").touch()
    assert door.wait(timeout=60) == 0 and project.done("00_make")


@pytest.mark.skipif(usable_cores() < 2, reason="at most one stage a core runs at a time")
def test_two_jobs_run_at_a_time(project: Project) -> None:
    chain(project)
    meet = (
        'import time\n\nmine, other = stage.id, {"00_make.a": "00_make.b", "00_make.b": "00_make.a"}[stage.id]\n'
        "(stage.folder.parent / f'{mine}.here').touch()\ndeadline = time.monotonic() + 60\n"
        "while not (stage.folder.parent / f'{other}.here').exists():\n"
        "    assert time.monotonic() < deadline\n    time.sleep(0.05)"
    )
    project.notebook("00_make", "size: int = 1\n", meet, "stage.finish({}, {})")
    project.preset("two", n00_make__a="", n00_make__b="")
    assert project.run("two", "--jobs", "2").returncode == 0


def test_a_log_holds_lines_and_now_and_then_a_state_of_a_bar() -> None:
    import io

    now, file, told = [0.0], io.StringIO(), []
    log = Log(file, told.append, every=10, clock=lambda: now[0])
    log.write("loading\n\x1b[31mred\x1b[0m windows\r")
    log.write("\nhalf a ")
    log.write("line\n")
    for step in range(1, 101):
        now[0] += 0.5
        log.write(f"\rsteps {step:3d}%|##| {step}/100 [00:{step // 2:02d}<00:50, 2.00it/s]")
    log.write("\nthe end")
    log.close()
    lines = file.getvalue().splitlines()
    assert lines[:3] == ["loading", "red windows", "half a line"] and lines[-1] == "the end"
    states = [int(line.split("%")[0][6:]) for line in lines[3:-1]]
    assert states == [19, 39, 59, 79, 99, 100]  # a state is known to be whole when the next one begins
    assert [int(line.split("%")[0][6:]) for line in told] == states[:-1]
