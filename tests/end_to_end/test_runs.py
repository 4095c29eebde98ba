"""Real runs, through Snakemake and papermill: once, again, in part, failed, killed, and two at a time."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from support.project import Project, edit, toy_chain, until

from lib.common.files import sha256
from lib.stage.provenance import usable_cores

PRIVATE = "Xanthippe-Quillfeather-0451"


def contents(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path) for path in folder.rglob("[!.]*") if path.is_file()}


def test_a_chain_runs_once_and_then_only_what_changed(project: Project) -> None:
    toy_chain(project)
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
    assert not any("unknown parameter" in log.read_text() for log in project.root.glob("results/toy/*/log.txt"))
    assert (project.stage("02_end.a") / "python").read_text() == sys.executable  # not the notebook's kernel
    assert (project.stage("01_grow.fast") / "grown.txt").read_text() == "xxxxxx"

    before = contents(project.root / "results")
    code = """import sys; from lib.cli.__main__ import main; code = main(["toy"])
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
    toy_chain(project)
    ended = project.run("toy", "--dry-run", "--only", "01_grow")
    assert ended.returncode == 0 and "2 of 4 stages would run; nothing was started" in ended.stdout
    assert re.search(r"would run  00_make +not done yet\nwould run  01_grow.fast  not done yet\n", ended.stdout)
    assert not (project.root / "results").exists()
    ended = project.run("toy", "--only", "00_make", "--force", "02_end.a")
    assert ended.returncode == 2 and "--force 02_end.a: --only leaves it out" in ended.stderr


def failing(project: Project, error: str) -> None:
    toy_chain(project)
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
    failing(project, "from lib.common.errors import DoppelError\n\nraise DoppelError('steps = 0; must be positive')")
    ended = project.run("toy")
    assert ended.returncode == 1
    assert "in a table.\nDoppelError: steps = 0; must be positive\nlog: " in ended.stderr
    path = failing(project, "") or project.root / "notebooks/01_grow.ipynb"
    edit(path, "stage.finish({}, {})", "pass")
    ended = project.run("toy")
    assert ended.returncode == 1 and "ended without stage.finish(...)" in ended.stderr


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
    toy_chain(project)
    meet = (
        'import time\n\nmine, other = stage.id, {"00_make.a": "00_make.b", "00_make.b": "00_make.a"}[stage.id]\n'
        "(stage.folder.parent / f'{mine}.here').touch()\ndeadline = time.monotonic() + 60\n"
        "while not (stage.folder.parent / f'{other}.here').exists():\n"
        "    assert time.monotonic() < deadline\n    time.sleep(0.05)"
    )
    project.notebook("00_make", "size: int = 1\n", meet, "stage.finish({}, {})")
    project.preset("two", n00_make__a="", n00_make__b="")
    assert project.run("two", "--jobs", "2").returncode == 0
