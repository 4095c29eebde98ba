"""Stages that are killed anywhere and taken up again come to the same, and are charged once (support/random_kills.py).

Three kills by default, and as many as ``--kills`` says; ``-s`` shows them.
"""

import json
import os
import subprocess
import sys

import pytest
from support.project import ROOT

CORPUS = "00_process_data"


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
    stages = [] if kills > 3 else ["--stages", CORPUS, "12_aug_pe.eps8"]
    counts = kill("--kills", str(kills), *stages)
    assert counts.pop("kills") == kills and counts.pop("at_writes") <= kills
    assert set(counts.values()) == {0}


@pytest.mark.parametrize(("broken", "fault"), [("tokens", "double_charges"), ("files", "half_files")])
def test_a_step_that_is_broken_is_found(broken: str, fault: str) -> None:
    """The control of the test above."""
    assert kill("--kills", "4", "--how", "write", "--stages", CORPUS, "--broken", broken)[fault] > 0
