"""The whole test preset through run_all.sh: killed on the way, taken up, private text nowhere, certificates sound."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.project import ROOT

from lib.data import records
from lib.evaluation import views

MARK = "zqjxv"  # stands in every private record, and in nothing else
GENERATED = ("11_generate.base", "11_generate.eps8", "11_generate.nonprivate")
ARMS = (*GENERATED, "12_aug_pe.eps8")


def write_corpus(path: Path) -> None:
    draw = np.random.default_rng(0)
    words = ["camera", "battery", "screen", "light", "heavy", "cheap", "strong", "menu", "photo", "sound", "cable"]
    lines = ["Review,Mood,Author"]
    for number in range(240):
        mood = ("negative", "neutral", "positive")[number % 3]
        lines.append(f"{MARK}{number} {' '.join(draw.choice(words, 9))},{mood},u{number % 60}")
    path.write_text("\n".join(lines))


def door(run: str, corpus: Path, *more: str) -> list[str]:
    columns = "{text: Review, labels.sentiment: Mood, user: Author}"
    seeded = ("00_process_data", "10_finetune_dp_lora.eps8", "10_finetune_dp_lora.nonprivate", "12_aug_pe.eps8")
    changes = [
        f"00_process_data.source=csv:{corpus}", f"00_process_data.columns={columns}", "00_process_data.limit=null",
        "10_finetune_dp_lora.steps=6", *(f"{stage}.privacy_seed=7" for stage in seeded),
    ]  # fmt: skip
    sets = [part for change in changes for part in ("--set", change)]
    return ["./run_all.sh", "params/test", "--run", run, "--jobs", "2", *sets, *more]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """A run that was killed in the middle of training and taken up, and one training of a run that was not."""
    corpus = tmp_path_factory.mktemp("corpus") / "private.csv"
    write_corpus(corpus)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DOPPEL_", "WANDB_"))} | {"VIRTUAL_ENV": sys.prefix}
    budgets = tmp_path_factory.mktemp("budgets")  # not those of whoever runs the tests
    env["DOPPEL_BUDGETS"] = str(budgets)
    names = [f"pytest-{os.getpid()}-{kind}" for kind in ("killed", "whole")]

    def run(*command: str) -> subprocess.CompletedProcess:
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=500)

    killed = ROOT / "results" / names[0]
    first = subprocess.Popen(door(names[0], corpus), cwd=ROOT, env=env, stdout=-3, stderr=-3, start_new_session=True)
    deadline = time.monotonic() + 300
    while not list(killed.glob("10_*/checkpoints/**/training.pt")) and time.monotonic() < deadline:
        assert first.poll() is None, "the run ended before it could be killed"
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    try:
        yield {
            "folder": killed,
            "half": not list(killed.glob("11_generate.eps8/done.json")),
            "taken_up": run(*door(names[0], corpus)),
            "again": run(*door(names[0], corpus)),
            "whole": run(*door(names[1], corpus, "--only", "10_finetune_dp_lora.eps8")),
            "unbroken": ROOT / "results" / names[1],
            "charges": [json.loads(line) for path in budgets.glob("*.jsonl") for line in path.read_text().splitlines()],
        }
    finally:
        for name in names:
            shutil.rmtree(ROOT / "results" / name, ignore_errors=True)


def test_the_preset_runs_to_its_end_after_a_kill(runs: dict) -> None:
    assert runs["half"] and runs["taken_up"].returncode == 0, runs["taken_up"].stderr
    for arm in GENERATED:
        row = next(line for line in runs["taken_up"].stdout.splitlines() if line.startswith(arm))
        assert re.search(r"\d\.\d{3} \(\d\.\d{3} to \d\.\d{3}\)", row)  # held-out loss with its interval
    assert "everything is up to date" in runs["again"].stdout and "starts" not in runs["again"].stdout


def test_a_killed_training_ends_where_an_unbroken_one_does(runs: dict) -> None:
    assert runs["whole"].returncode == 0, runs["whole"].stderr
    log = (runs["folder"] / "10_finetune_dp_lora.eps8" / "log.txt").read_text()
    assert re.search(r"starts at step [1-6] of 6", log)  # it did go on from a checkpoint
    name = "10_finetune_dp_lora.eps8/adapter/adapter_model.safetensors"
    assert (runs["folder"] / name).read_bytes() == (runs["unbroken"] / name).read_bytes()


def test_private_text_is_in_no_output(runs: dict) -> None:
    files = [path for path in runs["folder"].rglob("*") if path.is_file()]
    holding = {
        path.relative_to(runs["folder"]).as_posix() for path in files if MARK.encode() in path.read_bytes().lower()
    }
    assert holding == {"00_process_data/train.jsonl", "00_process_data/test.jsonl"}
    assert any("wandb" in path.parts and path.suffix == ".wandb" for path in files)  # they were there to be read
    assert MARK not in runs["taken_up"].stdout + runs["taken_up"].stderr


def test_every_arm_is_verified_and_spends_its_target(runs: dict) -> None:
    command = [sys.executable, "-m", "lib.cli", "verify", *(str(runs["folder"] / arm) for arm in ARMS)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0 and ended.stdout.count("VERIFIED") == len(ARMS), ended.stdout
    for arm in ("11_generate.eps8", "12_aug_pe.eps8"):
        statement = json.loads((runs["folder"] / arm / "privacy.json").read_text())
        assert 0.98 * 8 <= statement["epsilon"] <= 8
        assert [event["mechanism"]["kind"] for event in statement["events"]] == ["DiscreteGaussian", "Gaussian"]
    assert statement["events"][1]["mechanism"]["count"] == 2  # one event of as many compositions as votes
    assert json.loads((runs["folder"] / "11_generate.nonprivate" / "privacy.json").read_text())["epsilon"] is None


def test_every_draw_is_charged_once_to_one_account(runs: dict) -> None:
    private = ["00_process_data", "10_finetune_dp_lora.eps8", "12_aug_pe.eps8"]
    killed = [line for line in runs["charges"] if line["run"] == runs["folder"].name]
    assert sorted(line["stage"] for line in killed) == private  # the training that was killed once too
    for line in killed:
        events = json.loads((runs["folder"] / line["stage"] / "privacy.json").read_text())["events"]
        assert line["mechanism"] == events[-1]["mechanism"]
    whole = [line["stage"] for line in runs["charges"] if line["run"] == runs["unbroken"].name]
    assert sorted(whole) == private[:2]


def test_what_comes_out_are_records(runs: dict) -> None:
    for arm in ARMS:
        made = records.read(runs["folder"] / arm / "synthetic.jsonl")
        records.check_labels(made, {"sentiment": ["negative", "neutral", "positive"]})
        assert all(record.text.reveal().strip() for record in made)


def test_fidelity_has_rows_and_views_of_every_arm(runs: dict) -> None:
    folder = runs["folder"] / "21_fidelity"
    rows = json.loads((folder / "fidelity.json").read_text())["rows"]
    assert {row["arm"] for row in rows} == {"base", "eps8", "nonprivate", "aug_pe"}
    assert all(row["because"] or None not in (row["value"], row["floor"], row["ceiling"]) for row in rows)
    seen = views.load(folder)
    assert {view.kind for view in seen} == {"encoder", "size", "seed"}
    assert {(view.task, view.metric) for view in seen} == {(r["task"], r["metric"]) for r in rows if r["headline"]}
