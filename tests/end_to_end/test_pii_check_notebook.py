"""41_pii_check with a tiny random encoder: figures, a detector that loads again, and no word of a private reference."""

import json
import math
from pathlib import Path

import pytest
from support.errors import refused
from support.pii_sets import examples, finished_stage, tiny_encoder
from support.project import Project

from lib.pii.detectors.token_classifier import TokenClassifier
from lib.pii.exports import ai4privacy
from lib.pipeline import preflight

MARK = "Zqjxvia"  # a word of each text of the reference, and of nothing else


@pytest.fixture
def made(house: Project) -> Project:
    """A set of 40_pii_text, and a tiny encoder."""
    finished_stage(house.stage("40_pii_text", "quick"), examples(60))
    tiny_encoder(house.root / "encoder")
    return house


def play(project: Project, **values: object) -> Path:
    given = {
        "classifier": str(project.root / "encoder"), "steps": 2, "batch": 4, "max_tokens": 80, "folds": 2,
        "foreign_each": 1, "home_texts": 20, "beside": ["rules"], "draws": 10, "device": "cpu", "tracking": "off",
    }  # fmt: skip
    return project.play("41_pii_check", **given | values)["stage"].folder


def test_both_sides_have_figures_and_the_detector_loads_again(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = play(made)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert all(math.isfinite(value) for value in metrics.values())
    for name in ("rules/home/strict_f1", "rules/presidio-evaluator/character_recall", "training_seconds"):
        assert metrics[name] >= 0
    assert metrics["rules/presidio-evaluator/strict_precision"] > 0.6  # rules are hardly ever wrong
    scores = json.loads((folder / "check.json").read_text())["scores"]
    assert {(row["detector"], row["set"]) for row in scores} == {
        (detector, name)
        for detector in ("trained", "rules", "rules + trained")
        for name in ("home", "presidio-evaluator")
    }
    assert {path.stem for path in (folder / "figures").glob("*.png")} >= {
        "toy", "lengths", "classes", "gap_presidio-evaluator", "classes_presidio-evaluator"
    }  # fmt: skip
    assert json.loads((folder / "privacy.json").read_text())["events"] == []
    assert TokenClassifier.load(folder / "detector", device="cpu").find(["Ann lives in Rome."])
    assert "at home" in capsys.readouterr().out


def test_a_reference_counts_as_private_and_no_word_of_it_is_shown(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [
        one._replace(filled=one.filled._replace(text=one.filled.text + f" {MARK} {number}"))
        for number, one in enumerate(examples(12, seed=1))
    ]
    ai4privacy.write(made.root / "private.jsonl", texts)
    folder = play(made, reference=str(made.root / "private.jsonl"))
    privacy = json.loads((folder / "privacy.json").read_text())
    assert privacy["epsilon"] is None and privacy["events"][-1]["mechanism"]["kind"] == "NonPrivate"
    assert "rules/reference/strict_f1" in json.loads((folder / "metrics.json").read_text())
    shown = capsys.readouterr()
    assert MARK.lower() not in (shown.out + shown.err).lower()
    for path in folder.rglob("*"):
        assert not path.is_file() or MARK.lower().encode() not in path.read_bytes().lower(), path.name


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("inputs", "{}", "stage.not_the_only_input"),
        ("inputs", "{corpus: 40_pii_text}", "stage.not_the_only_input"),
        ("beside", "[rulez]", "pii.unknown_detector"),
        ("beside", "[trained]", "pii.trained_beside"),
        ("beside", "[gliner]", "pii.gliner_alone"),
        ("gliner", "hub:some/model", "pii.gliner_alone"),
        ("reference", "nowhere.jsonl", "pii.no_reference_file"),
        ("classifier", "nowhere", "models.no_model"),
        ("folds", "1", "stage.out_of_range"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_it_starts(name: str, value: str, code: str) -> None:
    with refused(code) as error:
        preflight.preflight("pii", "check", [f"41_pii_check.{name}={value}"])
    assert "41_pii_check" in error.value.where
