"""Stages that are killed anywhere and taken up again come to the same, and are charged once (support/random_kills.py).

Three kills by default, and as many as ``--kills`` says; ``-s`` shows them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.project import ROOT
from support.random_kills import CORPUS, EVOLVE, half_files

DOUBLE = "double_charges"


def kill(*options: str) -> dict[str, int]:
    """Kill stages in a process of their own, whose libraries have no threads yet when it forks: what was found."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DOPPEL_", "WANDB_"))}
    found = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1", "WANDB_MODE": "off", "MPLBACKEND": "agg"}
    command = [sys.executable, "-m", "support.random_kills", *options]
    ended = subprocess.Popen(command, cwd=ROOT, env=inherited | found, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in ended.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    assert ended.wait() == 0
    return json.loads(lines[-1])


def test_killed_stages_come_to_the_same_and_are_charged_once(request: pytest.FixtureRequest) -> None:
    kills = request.config.getoption("--kills")
    stages = [] if kills > 3 else ["--stages", CORPUS, EVOLVE]
    counts = kill("--kills", str(kills), *stages)
    assert counts.pop("kills") == kills and counts.pop("at_writes") <= kills
    assert set(counts.values()) == {0}


def test_a_charge_that_no_later_attempt_knows_is_found() -> None:
    """The control of the test above."""
    found = kill("--kills", "20", "--how", "write", "--stages", CORPUS, "--broken", "tokens", "--until", DOUBLE)
    assert found[DOUBLE] == 1


@pytest.mark.parametrize(
    ("name", "half"),
    [("a.json", '{"a": '), ("a.jsonl", '{"a": 1}\n{"a"'), ("a.jsonl", ""), ("b/a.safetensors", "\0\0"), ("a.npy", "")],
)
def test_a_half_file_is_seen_and_one_that_is_not_there_yet_is_not(tmp_path: Path, name: str, half: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(half)
    assert len(list(half_files(tmp_path))) == 1
    (tmp_path / ".x.part").mkdir()
    (tmp_path / name).rename(tmp_path / ".x.part" / Path(name).name)
    assert list(half_files(tmp_path)) == []
