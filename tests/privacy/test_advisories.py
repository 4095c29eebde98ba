"""Known faults of older versions: results that have one are found, by commit or, without git, by time."""

import subprocess
from pathlib import Path

import pytest
from support.project import ROOT

from lib.privacy import advisories
from lib.privacy.advisories import ADVISORIES
from lib.stage.finished import FinishedStage

(DROPOUT,) = [fault for fault in ADVISORIES if fault.name == "dropout"]
GPT2 = {"model": "hub:openai-community/gpt2", "target_epsilon": 2.0, "lora": {}, "dtype": "float32"}
BEFORE, AFTER = "2026-11-24T00:00:00+00:00", "2026-11-26T00:00:00+00:00"


def made(folder: Path, commit: str | None, finished: str = BEFORE, **changes: object) -> FinishedStage:
    stage = FinishedStage("10_finetune_dp_lora.eps2", folder, {"finished": finished}, GPT2 | changes)
    stage._read["provenance.json"] = {"commit": commit, "machine": {}}
    (folder / "provenance.json").write_text("{}")
    return stage


def test_a_training_with_dropout_before_the_mend_is_found_by_its_time(tmp_path: Path) -> None:
    (reason,) = advisories.of(made(tmp_path, None))
    assert (
        reason.code == "privacy.known_fault"
        and "(dropout)" in str(reason)
        and str(reason).startswith("10_finetune_dp_lora.eps2 was made")
    )
    assert advisories.of(made(tmp_path, "0" * 40)) and not advisories.of(made(tmp_path, None, AFTER))


@pytest.mark.parametrize(
    ("changes", "concerned"),
    [
        ({"target_epsilon": None}, False),
        ({"model": "bundled:smollm2-135m-instruct"}, False),
        ({"model": "bundled:smollm2-135m-instruct", "lora": {"lora_dropout": 0.1}}, True),
        ({"model": "/srv/models/mine"}, True),
        ({"model": "bundled:smollm2-135m-instruct", "dtype": "auto"}, True),  # bfloat16 where it is faster
        ({"target_epsilon": None, "dtype": "bfloat16"}, False),
    ],
)
def test_only_settings_that_had_the_fault_are_found(tmp_path: Path, changes: dict, concerned: bool) -> None:
    assert bool(advisories.of(made(tmp_path, None, **changes))) is concerned


def test_a_stage_of_another_notebook_or_of_before_it_was_renamed(tmp_path: Path) -> None:
    stage = made(tmp_path, None)
    for name, concerned in (("12_aug_pe.eps2", False), ("01_finetune_dp_lora.eps2", True)):
        renamed = FinishedStage(name, tmp_path, stage.done, stage.parameters, stage._read)
        assert bool(advisories.of(renamed)) is concerned


def test_the_commit_decides_where_git_knows_it(tmp_path: Path) -> None:
    git = ["git", "-C", str(ROOT), "rev-parse", "--verify", "-q"]
    fixed = subprocess.run([*git, f"{DROPOUT.commit}^{{commit}}"], capture_output=True, text=True)
    if fixed.returncode:
        pytest.skip("this copy has no history")
    before = subprocess.run([*git, f"{DROPOUT.commit}^"], capture_output=True, text=True).stdout.strip()
    assert advisories.of(made(tmp_path, before, AFTER))  # old code that ran late
    assert not advisories.of(made(tmp_path, DROPOUT.commit, BEFORE))


def test_what_was_trained_in_bfloat16_after_its_mend_is_free_of_both_faults(tmp_path: Path) -> None:
    late = "2026-12-01T00:00:00+00:00"
    assert len(advisories.of(made(tmp_path, None, dtype="bfloat16"))) == 2  # dropout of GPT-2 as well
    assert [*advisories.of(made(tmp_path, None, late, dtype="bfloat16"))] == []
