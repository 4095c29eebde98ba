"""A sweep of toy notebooks for real: two stages at a time, killed, taken up, and grown with its grid."""

import json
import os
import signal
import subprocess

import pytest
from support.grids import write
from support.project import Project, edit, until

from lib.cli import __main__
from lib.pipeline import sweep
from lib.stage.provenance import usable_cores

ARM = "11_write"
RUN = "toy-sweep"
COPIES = [f"{notebook}.eps1-seed{seed}" for notebook in ("10_train", ARM) for seed in (0, 1)]
STAGES = sorted([f"{ARM}.base", "30_table", *COPIES])

# Two trainings that only end together, where two stages can run at a time; then the second waits until it is killed.
TRAIN = f"""
import time

folder, deadline = stage.folder.parent, time.monotonic() + 60
(folder / f"began-{{seed}}").touch()
while {usable_cores() > 1} and seed < 2 and not (folder / f"began-{{1 - seed}}").exists():
    assert time.monotonic() < deadline
    time.sleep(0.02)
while seed == 1 and not (folder / "go").exists():
    time.sleep(0.02)
"""


def toy_sweep(project: Project) -> None:
    """10_train -> 11_write, a floor without inputs, and 30_table, which reads arms; each lists itself at the end."""
    registry = project.root / "lib/methods/registry.py"
    (line,) = (line for line in registry.read_text().splitlines() if line.startswith("ARMS = "))
    edit(registry, line, f'ARMS = ("{ARM}",)')
    ended = '\nwith (stage.folder.parent / "ended").open("a") as file:\n    file.write(f"{stage.id}\\n")'
    finish = 'stage.finish({"records": seed + 1}, {"epsilon": None})' + ended
    inputs = "inputs: dict[str, str] = {}\nseed: int = 0\n"
    project.notebook("10_train", "seed: int = 0\ntarget_epsilon: float | None = 8.0  # (0, 10]\n", TRAIN, finish)
    project.notebook(ARM, inputs, 'stage.path("synthetic.jsonl").write_text("{}")', finish)
    read = 'stage.path("read").write_text(" ".join(inputs))'
    project.notebook("30_table", inputs + 'floor: str = "base"\n', read, finish)
    project.preset("toy", n10_train__eps8="", n11_write__base="", n11_write__eps8="inputs: {model: 10_train.eps8}\n")
    project.preset("toy", n30_table=f"inputs: {{base: {ARM}.base, dp: {ARM}.eps8}}\n")
    (project.root / "sweeps").mkdir()
    text = "preset: toy\ngrid: {target_epsilon: [1], seed: [0, 1]}\nstages: [10_train]\n"
    write(project.root / "sweeps", text, "toy")


def ended(project: Project) -> list[str]:
    """Stages that came to their end, in order, each as often as it did."""
    path = project.stage("ended", RUN)
    return path.read_text().split() if path.is_file() else []


def test_a_sweep_is_killed_taken_up_and_grows_with_its_grid(
    here: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    toy_sweep(here)
    monkeypatch.setattr(sweep, "ARMS", (ARM,))  # for what runs in this process
    command = here.command("sweep", "toy", "--jobs", "2")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    door = subprocess.Popen(command, cwd=here.root, env=here.env, **quiet)
    until(lambda: "10_train.eps1-seed0" in ended(here) and here.stage("began-1", RUN).exists())
    os.kill(door.pid, signal.SIGKILL)
    door.wait()
    before = ended(here)
    assert "10_train.eps1-seed1" not in before and "30_table" not in before

    here.stage("go", RUN).touch()
    taken_up = here.run("sweep", "toy", "--jobs", "2")
    assert taken_up.returncode == 0 and taken_up.stderr == "", taken_up.stderr
    assert sorted(ended(here)) == STAGES  # over both runs: nothing is done twice
    table = [line.split()[0] for line in taken_up.stdout.splitlines() if f"results/{RUN}/" in line]
    assert sorted(table) == [id for id in STAGES if id.startswith(ARM)]
    read = here.stage("30_table", RUN) / "read"
    assert read.read_text() == "base dp-eps1-seed0 dp-eps1-seed1"
    recorded = json.loads(here.stage("chain.json", RUN).read_text())["sweep"]
    assert recorded["file"] == "sweeps/toy.yaml" and recorded["grid"]["target_epsilon"] == {"eps1": 1}
    copy = {"of": f"{ARM}.eps8", "point": {"target_epsilon": 1, "seed": 1}}
    assert recorded["copies"][f"{ARM}.eps1-seed1"] == copy and sorted(recorded["copies"]) == sorted(COPIES)

    capsys.readouterr()
    assert __main__.main(["sweep", "sweeps/toy.yaml"]) == 0
    assert "everything is up to date" in capsys.readouterr().out and sorted(ended(here)) == STAGES

    edit(here.root / "sweeps" / "toy.yaml", "[0, 1]", "[0, 1, 2]")
    new = ["10_train.eps1-seed2", f"{ARM}.eps1-seed2"]
    assert __main__.main(["sweep", "toy", "--dry-run", "--only", new[1]]) == 0
    planned = capsys.readouterr().out
    assert "2 of 8 stages would run" in planned and all(id in planned for id in new)
    grown = here.run("sweep", "toy")
    assert grown.returncode == 0, grown.stderr
    assert sorted(ended(here)[len(STAGES) :]) == sorted([*new, "30_table"])
    assert read.read_text().endswith("dp-eps1-seed2")
