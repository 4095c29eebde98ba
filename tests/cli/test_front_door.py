"""run_all.sh: which Python it takes, when it sets up, and what it leaves when it is interrupted.

A stub stands for the environment's Python: it logs the calls of pip and of the commands, and runs none of them.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from jupyterlab.handlers.announcements import NeverCheckForUpdate
from jupyterlab.labapp import LabApp
from support.project import ROOT

from lib.cli import __main__

STUB = """#!/usr/bin/env bash
[[ $1 == -c ]] && exec {python} "$@"
[[ $* == *--version* ]] && exit 0
echo "$*" >>"{log}"
echo "${{GOMP_SPINCOUNT:-unset}}" >"{log}.spins"
if [[ $2 == pip ]]; then
  echo "Collecting torch"
  [[ ! -e {fail} ]] || {{ echo "No space left on device"; exit 1; }}
fi
exit 0
"""


class Door:
    """A copy of the front door with an environment whose Python is a stub."""

    def __init__(self, root: Path):
        self.root, self.log, self.fail = root / "project", root / "log", root / "fail"
        self.root.mkdir()
        for name in ("run_all.sh", "environment.yml", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        shutil.copytree(ROOT / "lib", self.root / "lib", ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = self.stub(root / "environment")

    def stub(self, environment: Path) -> Path:
        python = environment / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(STUB.format(python=sys.executable, log=self.log, fail=self.fail))
        python.chmod(0o755)
        return environment

    def run(self, *arguments: str, **env: str) -> tuple[subprocess.CompletedProcess, list[str]]:
        """Run the front door from another folder: how it ended, and the calls of its Python."""
        self.log.write_text("")
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root), "VIRTUAL_ENV": str(self.environment)} | env
        ended = subprocess.run(
            [self.root / "run_all.sh", *arguments], cwd="/", env=env, capture_output=True, text=True, timeout=60
        )
        return ended, self.log.read_text().splitlines()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_set_up_comes_once_and_again_when_the_list_changed(door: Door) -> None:
    ended, calls = door.run("quick", "--jobs", "2")
    assert ended.returncode == 0 and "setting up in" in ended.stdout and "set-up is done" in ended.stdout
    assert len(calls) == 3 and "-m pip install" in calls[0] and "--no-deps -e ." in calls[1]
    assert calls[2] == "-m lib.cli quick --jobs 2"
    ended, calls = door.run()
    assert calls == ["-m lib.cli"] and ended.stdout == ""
    with (door.root / "environment.yml").open("a") as file:
        file.write("      - another==1.0\n")
    assert len(door.run("setup")[1]) == 2  # and nothing is run after it
    (door.root / "pyproject.toml").open("a").write("\n")
    assert len(door.run()[1]) == 3


def test_threads_that_wait_sleep_soon_unless_the_user_says_how_they_wait(door: Door) -> None:
    for env, spins in (({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "unset")):
        door.run(**env)
        assert door.log.with_name("log.spins").read_text() == f"{spins}\n"


def test_the_list_of_pip_is_that_of_conda(door: Door) -> None:
    door.run("setup")
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][-1]["pip"]
    assert (door.environment / "doppel-requirements.txt").read_text().splitlines() == listed
    assert all(line.count("==") == 1 for line in listed)  # exact pins


def test_a_set_up_that_failed_is_reported_and_tried_again(door: Door) -> None:
    door.fail.touch()
    ended, calls = door.run("quick")
    assert ended.returncode == 2 and len(calls) == 1
    assert "No space left on device" in ended.stderr and "run again to go on" in ended.stderr
    door.fail.unlink()
    assert door.run("quick")[1][-1] == "-m lib.cli quick"


def test_a_machine_without_a_gpu_takes_the_cpu_build_first(door: Door) -> None:
    ended, calls = door.run("setup", "--cpu")
    listed = (door.environment / "doppel-requirements.txt").read_text().splitlines()
    pinned = next(line for line in listed if line.startswith("torch=="))
    assert ended.returncode == 0 and len(calls) == 3 and "several more" not in ended.stdout
    assert "--no-deps" in calls[0] and calls[0].endswith(f"--index-url https://download.pytorch.org/whl/cpu {pinned}")
    assert "-r " in calls[1] and "download.pytorch.org" not in calls[1]
    ended, calls = door.run("setup", "--cpu")
    assert ended.returncode == 2 and calls == [] and "set up already" in ended.stderr
    assert door.run("setup")[1] == []


def test_where_the_cpu_build_cannot_be_fetched_the_other_way_is_named(door: Door) -> None:
    door.fail.touch()
    ended, calls = door.run("setup", "--cpu")
    assert ended.returncode == 2 and len(calls) == 1
    assert "cannot be fetched from https://download.pytorch.org/whl/cpu; ./run_all.sh setup takes" in ended.stderr
    assert door.run("setup", "--gpu")[0].stderr.endswith("setup takes nothing but --cpu\n")


def test_both_sizes_are_said_where_pip_brings_libraries_for_a_gpu(door: Door) -> None:
    shown = door.run("setup")[0].stdout
    assert "about 3 GB" in shown and ("several more" in shown) == ("setup --cpu" in shown) == (sys.platform == "linux")


def test_another_copy_of_the_project_sets_the_environment_up_for_itself(door: Door, tmp_path: Path) -> None:
    door.run("setup")
    door.root = door.root.rename(tmp_path / "moved")
    assert len(door.run("setup")[1]) == 2


def test_conda_is_used_but_not_its_base(door: Door) -> None:
    conda = door.stub(door.root / "conda")
    ended, _ = door.run("setup", VIRTUAL_ENV="", CONDA_PREFIX=str(conda), CONDA_DEFAULT_ENV="doppel")
    assert f"setting up in {conda}" in ended.stdout
    door.stub(door.root / ".venv")
    ended, _ = door.run("setup", VIRTUAL_ENV="", CONDA_PREFIX=str(conda), CONDA_DEFAULT_ENV="base")
    assert f"setting up in {door.root}/.venv" in ended.stdout
    ended, _ = door.run("setup", VIRTUAL_ENV="")
    assert ended.returncode == 0 and ended.stdout == ""  # the same .venv, set up already


def test_a_python_that_is_too_old_is_refused(door: Door, tmp_path: Path) -> None:
    old = tmp_path / "old" / "bin"
    old.mkdir(parents=True)
    for name in ("python", "python3", "python3.11", "python3.12", "python3.13"):
        (old / name).write_text("#!/bin/sh\nexit 1\n")
        (old / name).chmod(0o755)
    ended, _ = door.run(VIRTUAL_ENV=str(old.parent))
    assert ended.returncode == 2 and "has no Python 3.11, 3.12 or 3.13" in ended.stderr
    ended, _ = door.run(VIRTUAL_ENV="", PATH=f"{old}:/usr/bin:/bin")
    assert ended.returncode == 2 and "no Python 3.11, 3.12 or 3.13 on PATH" in ended.stderr


def test_a_python_that_is_too_new_is_refused_before_anything_is_installed(door: Door, tmp_path: Path) -> None:
    python = tmp_path / "new" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 14, 0); exec(sys.argv[1])" "$2"\n'
    )
    python.chmod(0o755)
    ended, calls = door.run("setup", VIRTUAL_ENV=str(python.parents[1]))
    assert ended.returncode == 2 and "has no Python 3.11, 3.12 or 3.13" in ended.stderr and calls == []


def test_conda_and_pip_take_the_same_pythons() -> None:
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert listed == f"python{project['requires-python']}" == "python>=3.11,<3.14"


BARE = {"VIRTUAL_ENV": "", "PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin"}


def test_help_needs_no_set_up(door: Door) -> None:
    ended, _ = door.run("--help", **BARE)
    assert ended.returncode == 0 and "--set STAGE.KEY=VALUE" in ended.stdout and "./run_all.sh lab" in ended.stdout
    assert not (door.root / ".venv").exists()


@pytest.mark.parametrize(
    ("command", "own"),
    [
        ("release", "--license ID"),
        ("compare", "RUN"),
        ("sweep", "[GRID]"),
        ("new", "--labels NAME=A,B,C"),
        ("verify", "PATH [PATH ...]"),
        ("budget", "[SOURCE]"),
    ],
)
def test_help_of_a_command_is_its_own_and_needs_no_set_up(door: Door, command: str, own: str) -> None:
    ended, _ = door.run(command, "--help", **BARE)
    assert ended.returncode == 0 and f"usage: ./run_all.sh {command} " in ended.stdout and own in ended.stdout
    assert "./run_all.sh lab" not in ended.stdout and not (door.root / ".venv").exists()


def test_jupyterlab_asks_for_no_news_and_calls_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    def execv(program: str, arguments: list[str]) -> None:
        called.extend(arguments)
        raise SystemExit

    monkeypatch.setattr(__main__.os, "execv", execv)
    with pytest.raises(SystemExit):
        __main__.main(["lab", "--no-browser"])
    lab = LabApp()
    lab.parse_command_line(called[called.index("lab") + 1 : -1])
    assert lab.news_url is None and lab.check_for_updates_class is NeverCheckForUpdate and called[-1] == "--no-browser"


@pytest.mark.parametrize("command", ["test", "lab"])
def test_help_of_another_program_is_passed_on(door: Door, command: str) -> None:
    assert door.run(command, "--help")[1][-1] == f"-m lib.cli {command} --help"


@pytest.mark.parametrize(
    "script", sorted((*ROOT.glob("benchmarks/*.py"), *ROOT.glob("docs/*.py"))), ids=lambda p: p.name
)
def test_a_script_finds_lib_where_it_is_not_installed(script: Path) -> None:
    before, imports_lib, _ = script.read_text().partition("\nfrom lib")
    root = "Path(__file__).resolve().parents[1]"
    inserted = f"sys.path.insert(0, str({root}))" in before or (
        f"\nROOT = {root}\n" in before and "\nsys.path.insert(0, str(ROOT))\n" in before
    )
    assert not imports_lib or inserted
