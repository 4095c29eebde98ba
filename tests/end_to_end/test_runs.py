"""Real runs, through Snakemake and papermill: once, again, in part, failed, killed, and two stages at a time."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from support.errors import refused
from support.project import Project, edit, toy_chain, until

from lib.cli import __main__, run
from lib.common.files import sha256
from lib.stage.provenance import usable_cores

PRIVATE = "Xanthippe-Quillfeather-0451"

# Two ends that only end together, where two stages can run at a time.
MEET = f"""
import time

folder, deadline = stage.folder.parent, time.monotonic() + 60
(folder / f"began-{{stage.id}}").touch()
while {usable_cores() > 1} and len(list(folder.glob("began-*"))) < 2:
    assert time.monotonic() < deadline
    time.sleep(0.02)
"""


def contents(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path) for path in folder.rglob("[!.]*") if path.is_file()}


def test_a_chain_runs_once_two_stages_at_a_time_and_then_only_what_changed(project: Project) -> None:
    toy_chain(project)
    edit(project.root / "notebooks" / "02_end.ipynb", "import sys\\n", json.dumps(MEET)[1:-1] + "import sys\\n")
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

    # forced, 00_make makes the same again, so 01_grow does not run; of 02_end only the variant that has a new parameter
    (project.root / "slow").mkdir()
    (project.root / "slow" / "config.yaml").write_text("cores: 1\n")
    changes = ("--force", "00_make", "--only", "02_end.b", "--set", "02_end.samples=7", "--profile", "slow")
    ended = project.run("params/toy/", *changes)
    assert ended.returncode == 0 and ended.stdout.count("starts") == 2
    assert "00_make  starts (not done yet)" in ended.stdout and "02_end.b  starts (parameters changed" in ended.stdout
    assert ended.stdout.count("up to date") == 1
    assert "01_grow.fast  up to date: its inputs are what they were" in ended.stdout
    assert "02_end.b  7.9600         7 " in ended.stdout and "02_end.a  7.9600         1 " in ended.stdout


def test_a_dry_run_gives_the_reasons_and_starts_nothing(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    toy_chain(here)
    assert __main__.main(["toy", "--dry-run", "--only", "01_grow"]) == 0
    shown = capsys.readouterr().out
    assert "2 of 4 stages would run; nothing was started" in shown
    assert re.search(r"would run  00_make +not done yet\nwould run  01_grow.fast  not done yet\n", shown)
    assert not (here.root / "results").exists()
    command = ["toy", "--only", "00_make", "--force", "02_end.a"]
    with refused("cli.forced_stage_left_out", name="--force", value="02_end.a"):
        run.run_preset(__main__._parser().parse_args(command))
    assert __main__.main(command) == 2 and "nothing was started" in capsys.readouterr().err


# Stages that fail.


def failing(project: Project, error: str, end: str = "stage.finish({}, {})") -> None:
    """01_grow with a cell that fails."""
    project.notebook(
        "01_grow",
        'inputs: dict[str, str] = {"data": "00_make"}\nfactor: float = 1.0\n',
        f'private = "-".join(["Xanthippe", "Quillfeather", "0451"])\n{error}',
        end,
        words="Look each name up in a table.",
    )


@dataclass
class Failed:
    """A project whose run has failed in its second stage: what the front door printed, and all that it left."""

    project: Project
    ended: subprocess.CompletedProcess
    left: str

    def again(self, **env: str) -> tuple[int, str]:
        """Run the failed stage by itself, as Snakemake does: exit code, and what the front door would print."""
        command = [sys.executable, "-m", "lib.pipeline.run_stage", "toy", "01_grow.fast", "1", str(os.getpid())]
        ended = subprocess.run(command, cwd=self.project.root, env=self.project.env | env, stdout=subprocess.PIPE)
        return ended.returncode, (self.project.stage(".chain") / "01_grow.fast.failed").read_text()


def everything(project: Project) -> str:
    """All that a run left."""
    files = [path for path in (project.root / "results").rglob("*") if path.is_file()]
    return "".join(path.read_bytes().decode("utf-8", "replace") for path in files)


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Failed:
    project = Project(tmp_path_factory.mktemp("failed {run} {x}"))  # braces in a path are no names of parameters
    toy_chain(project)
    failing(project, "{}[private]")
    ended = project.run("toy", WANDB_MODE="offline")
    return Failed(project, ended, everything(project))


def test_a_failed_stage_says_where_and_shows_no_private_text(failed: Failed) -> None:
    assert failed.ended.returncode == 1
    shown = failed.ended.stderr
    assert "01_grow.fast failed: in the cell after: Look each name up in a table." in shown
    assert "KeyError: message hidden" in shown and "{}[private]" in shown
    assert "log: results/toy/01_grow.fast/log.txt" in shown and "what is done stays done" in shown
    assert failed.project.done("00_make") and not (failed.project.stage("01_grow.fast") / "done.json").exists()
    assert "02_end" not in failed.ended.stdout  # nothing after it was tried
    assert PRIVATE not in failed.ended.stdout + shown + failed.left


def test_the_same_without_the_guard_is_found_out(failed: Failed) -> None:
    """The control of the test above."""
    failing(failed.project, "{}[private]")
    code, shown = failed.again(DOPPEL_SHOW_ERRORS="1")
    assert code == 1 and PRIVATE in shown and PRIVATE in everything(failed.project)


def test_a_refusal_is_shown_as_it_is(failed: Failed) -> None:
    refusal = "raise DoppelError('stage.out_of_range', 'steps = 0', remedy='must be positive')"
    failing(failed.project, f"from lib.common.errors import DoppelError\n\n{refusal}")
    code, shown = failed.again()
    assert code == 1 and "in a table.\nDoppelError: steps = 0; must be positive\nlog: " in shown


def test_a_notebook_must_finish_its_stage(failed: Failed) -> None:
    failing(failed.project, "", end="pass")
    code, shown = failed.again()
    assert code == 1 and "ended without stage.finish(...)" in shown


# Runs that are killed.


def started(project: Project) -> tuple[subprocess.Popen, dict[str, psutil.Process]]:
    """A front door whose one stage waits for a file; with it, its runner and its kernel, once the stage is at work."""
    pids = project.stage("pids")
    pids.unlink(missing_ok=True)
    door = subprocess.Popen(
        project.command("toy"),
        cwd=project.root,
        env=project.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: pids.exists() and pids.read_text().endswith(" "))
    runner, kernel = map(int, pids.read_text().split())
    return door, {"kernel": psutil.Process(kernel), "runner": psutil.Process(runner)}


def test_a_killed_run_is_taken_up_by_the_next_and_a_second_front_door_is_refused(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.notebook(
        "00_make",
        "",
        "import os\nimport time\n\n"
        '(stage.folder.parent / "pids").write_text(f"{os.getppid()} {os.getpid()} ")\n'
        'while not (stage.folder.parent / "go").exists():\n    time.sleep(0.02)',
        "stage.finish({}, {})",
    )
    here.preset("toy", n00_make="")
    door, children = started(here)
    for victim, reported in (
        ("kernel", "its kernel died: killed, or out of memory; run again"),
        ("runner", "00_make failed: the process died without an error message"),
        ("front door", ""),
    ):
        os.kill(children[victim].pid if victim in children else door.pid, signal.SIGKILL)
        shown = door.communicate(timeout=60)[1]
        assert door.returncode == (-9 if victim == "front door" else 1) and reported in shown, victim
        assert not (here.stage("00_make") / "done.json").exists()
        # at once: what the kill left ends, though its stage would wait for ever, and the next run takes over
        left = list(children.values())
        door, children = started(here)
        assert not psutil.wait_procs(left, timeout=30)[1], victim

    with refused("common.in_use", name="run toy", value=str(door.pid)):
        run.run_preset(__main__._parser().parse_args(["toy"]))
    capsys.readouterr()
    assert __main__.main(["toy"]) == 2 and "nothing was started" in capsys.readouterr().err
    here.stage("go").touch()
    assert door.communicate(timeout=60)[1] == "" and door.returncode == 0  # the second did not disturb it
    assert here.done("00_make")["edited"] is None


def test_a_chain_runs_in_a_folder_whose_name_a_shell_would_read(tmp_path: Path) -> None:
    root = tmp_path / "it's \u00fcn\u00ef (1) $HOME & co"
    root.mkdir()
    odd = Project(root)
    toy_chain(odd)
    ended = odd.run("toy", "--only", "01_grow.fast")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (odd.stage("01_grow.fast") / "grown.txt").read_text() == "xxxxxx"
