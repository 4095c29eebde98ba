"""The whole test preset through run_all.sh: killed on the way, taken up by a profile that sends each stage elsewhere,
private text nowhere, certificates sound.

The profile is `profiles/kubernetes`; `tests/support/kubectl` stands for kubectl and the cluster behind it.
"""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from support.project import ROOT

from lib.cli import __main__
from lib.data import records
from lib.evaluation import views

MARK = "zq_jxv"  # stands in every private record, and in nothing else: base64 has no underscore
CORPUS, TRAIN = "00_process_data", "10_finetune_dp_lora.eps8"
STEER, STEERED = "10_steer.eps8", "11_generate.steered"
GENERATED = ("11_generate.base", "11_generate.eps8", "11_generate.nonprivate")
ARMS = (*GENERATED, "12_aug_pe.eps8", "13_select.eps8", "14_private_prediction.eps8", STEERED)


def write_corpus(path: Path) -> None:
    draw = np.random.default_rng(0)
    words = ["camera", "battery", "screen", "light", "heavy", "cheap", "strong", "menu", "photo", "sound", "cable"]
    lines = ["Review,Mood,Author"]
    for number in range(240):
        mood = ("negative", "neutral", "positive")[number % 3]
        lines.append(f"{MARK}{number} {' '.join(draw.choice(words, 9))},{mood},u{number % 60}")
    path.write_text("\n".join(lines))


def door(run: str, corpus: Path, *more: str) -> list[str]:
    """The command of a run of the preset on a corpus of one's own, its noise repeatable."""
    columns = "{text: Review, labels.sentiment: Mood, user: Author}"
    seeded = (CORPUS, TRAIN, "10_finetune_dp_lora.nonprivate", "11_generate.eps8", STEER, *ARMS[3:])
    untracked = ("10_finetune_dp_lora.nonprivate", "11_generate.base", "11_generate.nonprivate")  # as their twins are
    changes = [
        f"{CORPUS}.source=csv:{corpus}", f"{CORPUS}.columns={columns}", f"{CORPUS}.share=1.0", f"{TRAIN}.steps=5",
        *(f"{stage}.privacy_seed=7" for stage in seeded), *(f"{stage}.tracking='off'" for stage in untracked),
    ]  # fmt: skip
    sets = [argument for change in changes for argument in ("--set", change)]
    return ["./run_all.sh", "params/test", "--run", run, "--jobs", "2", *sets, *more]


def cluster(folder: Path, env: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The profile, that looks for its jobs every second, and an environment in which kubectl is that of the tests."""
    profile = shutil.copytree(ROOT / "profiles" / "kubernetes", folder / "profile")
    with (profile / "config.yaml").open("a") as file:
        file.write("seconds-between-status-checks: 1\n")
    for name in ("bin", "state"):
        (folder / name).mkdir()
    kubectl = folder / "bin" / "kubectl"  # whatever python3 there is on the path
    kubectl.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/tests/support/kubectl/kubectl" "$@"\n')
    kubectl.chmod(0o755)
    path = os.pathsep.join([str(folder / "bin"), env["PATH"]])
    return str(profile), env | {"PATH": path, "FAKE_CLUSTER": str(folder / "state")}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """A run that was killed in the middle of training and taken up, and the same training of a run that was not."""
    corpus = tmp_path_factory.mktemp("corpus") / "private.csv"
    write_corpus(corpus)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DOPPEL_", "WANDB_"))} | {"VIRTUAL_ENV": sys.prefix}
    budgets = tmp_path_factory.mktemp("budgets")  # not those of whoever runs the tests
    env["DOPPEL_BUDGETS"] = str(budgets)
    names = [f"pytest-{os.getpid()}-{way}" for way in ("killed", "whole")]
    killed, whole = (ROOT / "results" / name for name in names)

    def run(*command: str, env: dict[str, str] = env) -> subprocess.CompletedProcess:
        # Ends a run that hangs. Beside other tests 15 stages, each of several processes, take minutes.
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1500)

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        command = door(names[0], corpus, "--only", TRAIN)
        first = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True, **quiet)
        deadline = time.monotonic() + 300
        while not list(killed.glob(f"{TRAIN}/checkpoints/**/training.pt")) and time.monotonic() < deadline:
            assert first.poll() is None, "the run ended before it could be killed"
            time.sleep(0.02)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        half = not (killed / TRAIN / "done.json").exists()
        profile, far = cluster(tmp_path_factory.mktemp("cluster"), env)
        taken_up = run(*door(names[0], corpus), "--profile", profile, env=far)
        shutil.copytree(killed / CORPUS, whole / CORPUS)  # a copy is as good as the original, and is not drawn again
        yield {
            "folder": killed,
            "half": half,
            "taken_up": taken_up,
            "jobs": sorted(path.name for path in Path(far["FAKE_CLUSTER"]).glob("*.log")),
            "again": in_this_process(*door(names[0], corpus)[1:], budgets=budgets),
            "whole": run(*door(names[1], corpus, "--only", TRAIN)),
            "unbroken": whole,
            "charges": [json.loads(line) for path in budgets.glob("*.jsonl") for line in path.read_text().splitlines()],
        }
    finally:
        for name in names:
            shutil.rmtree(ROOT / "results" / name, ignore_errors=True)


def in_this_process(*arguments: str, budgets: Path) -> str:
    """What the front door prints, run without a process of its own."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setenv("DOPPEL_BUDGETS", str(budgets))
        assert __main__.main(arguments) == 0
    return printed.getvalue()


def test_the_preset_runs_to_its_end_after_a_kill(runs: dict) -> None:
    assert runs["half"] and runs["taken_up"].returncode == 0, runs["taken_up"].stderr
    for arm in GENERATED:
        row = next(line for line in runs["taken_up"].stdout.splitlines() if line.startswith(arm))
        assert re.search(r"\d\.\d{3} \(\d\.\d{3} to \d\.\d{3}\)", row)  # held-out loss with its interval
    assert "everything is up to date" in runs["again"] and "starts" not in runs["again"]


def test_each_stage_was_a_job_of_the_cluster(runs: dict) -> None:
    stages = json.loads((runs["folder"] / "chain.json").read_text())["stages"]
    assert len(runs["jobs"]) == len(stages) - 1  # the corpus was done before
    assert "log.txt" in runs["taken_up"].stdout


def test_a_killed_training_ends_where_an_unbroken_one_does(runs: dict) -> None:
    assert runs["whole"].returncode == 0, runs["whole"].stderr
    log = (runs["folder"] / TRAIN / "log.txt").read_text()
    assert re.search(r"starts at step [1-5] of 5", log)  # it did go on from a checkpoint
    name = f"{TRAIN}/adapter/adapter_model.safetensors"
    assert (runs["folder"] / name).read_bytes() == (runs["unbroken"] / name).read_bytes()


def test_private_text_is_in_no_output(runs: dict) -> None:
    files = [path for path in runs["folder"].rglob("*") if path.is_file()]
    holding = {
        path.relative_to(runs["folder"]).as_posix() for path in files if MARK.encode() in path.read_bytes().lower()
    }
    assert holding == {"00_process_data/train.jsonl", "00_process_data/test.jsonl"}
    assert any("wandb" in path.parts and path.suffix == ".wandb" for path in files)  # they were there to be read
    assert MARK not in runs["taken_up"].stdout + runs["taken_up"].stderr


def test_every_arm_is_verified_and_spends_its_target(runs: dict, capsys: pytest.CaptureFixture[str]) -> None:
    code = __main__.main(["verify", *(str(runs["folder"] / arm) for arm in ARMS)])
    printed = capsys.readouterr().out
    assert code == 0 and printed.count("VERIFIED") == len(ARMS), printed
    labels, learned, copies, predicted = (
        "DiscreteGaussian",
        "Gaussian",
        "DiscreteGaussian",
        "14_private_prediction.eps8",
    )
    for arm, kept, votes in (
        ("11_generate.eps8", 0.05, 0),
        *((arm, 0, 2) for arm in ARMS[3:5]),
        (predicted, 0, 0),
        (STEERED, 0, 0),
    ):
        statement = json.loads((runs["folder"] / arm / "privacy.json").read_text())
        assert 0.98 * 8 * (1 - kept) <= statement["epsilon"] <= 8 * (1 - kept)
        events = {event["what"]: event["mechanism"] for event in statement["events"] if event["stage"] == arm}
        if votes:  # one event of as many compositions as votes
            assert events["votes for candidates"]["count"] == votes
        kinds = [event["mechanism"]["kind"] for event in statement["events"]]
        drew = "Exponential" if arm == predicted else learned
        assert kinds == [labels, drew, copies, *([learned, copies] if arm == "13_select.eps8" else [])]
    assert json.loads((runs["folder"] / "11_generate.nonprivate" / "privacy.json").read_text())["epsilon"] is None


def test_every_draw_is_charged_once_to_one_account(runs: dict) -> None:
    private = [CORPUS, TRAIN, STEER, "11_generate.eps8", STEERED, "12_aug_pe.eps8", "12_aug_pe.eps8"]
    private += ["13_select.eps8"] * 2 + ["14_private_prediction.eps8"] * 2  # these also count copies
    killed = [line for line in runs["charges"] if line["run"] == runs["folder"].name]
    assert sorted(line["stage"] for line in killed) == private  # the training that was killed once too
    for line in killed:
        events = json.loads((runs["folder"] / line["stage"] / "privacy.json").read_text())["events"]
        assert any((line["what"], line["mechanism"]) == (event["what"], event["mechanism"]) for event in events)
    whole = [line["stage"] for line in runs["charges"] if line["run"] == runs["unbroken"].name]
    assert whole == [TRAIN]  # its corpus is a copy


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
