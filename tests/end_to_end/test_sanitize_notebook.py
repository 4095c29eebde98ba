"""51_sanitize by hand: made-up records, texts of an arm, and private records of which no word is shown."""

import json
import math
from pathlib import Path

import pytest
from support.errors import refused
from support.letters import LETTER, Answers, hide, letter
from support.project import Project

from lib.common.files import write_json
from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.privacy.ledger import NO_UNIT, Ledger
from lib.private_records import schema as private_records
from lib.private_records.schema import Event, PrivateRecord, Profile, Situation
from lib.sanitization import opening, schema

MARK = "Zqjxvia"  # a word of each private text, and of nothing else
NOBODY = Ledger(NO_UNIT, 0)


def finished(folder: Path, ledger: Ledger) -> None:
    """A stage that is done."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "privacy.json", ledger.statement(folder.name))
    write_json(folder / "done.json", {"digest": "0", "outputs": {}, "made_from": {}})


def written(count: int) -> list[PrivateRecord]:
    """Private records that all are the letter."""
    profile = Profile({}, {}, (Event("fall", {"bone": "left wrist"}),), "bone")
    situation = Situation("letter to a hospital", True, "", "letter")
    given = (letter(f"record-{number}") for number in range(count))
    return [
        PrivateRecord(one.id, profile, situation, one.text, attributes=one.attributes, groups=one.groups)
        for one in given
    ]


@pytest.fixture
def made(house: Project) -> Project:
    """Records of 50_private_records, an arm, and a private corpus."""
    of_50 = house.stage("50_private_records", "quick")
    finished(of_50, NOBODY)
    private_records.write(of_50 / "records.jsonl", written(9))
    finished(house.stage("40_pii_text", "quick"), NOBODY)
    texts = [Record(f"text-{number}", PrivateText(LETTER), {"style": "letter"}) for number in range(4)]
    records.write(house.stage("40_pii_text", "quick") / "synthetic.jsonl", texts)
    finished(house.stage("00_process_data", "quick"), Ledger("record", 5))
    private = [Record(f"{MARK}-{number}", PrivateText(f"{LETTER}\n{MARK} {number}"), {}) for number in range(5)]
    records.write(house.stage("00_process_data", "quick") / "train.jsonl", private)
    return house


def play(project: Project, **values: object) -> Path:
    return project.play("51_sanitize", tracking="off", **values)["stage"].folder


def test_made_up_records_are_sanitized_and_checked_for_leaks(made: Project) -> None:
    folder = play(made)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["records"] == 9 and metrics["failed"] == 0 and all(map(math.isfinite, metrics.values()))
    assert metrics["unsanitized_direct"] == 1 and metrics["sanitized_direct"] == 0 and metrics["sanitized_kept"] == 1
    sanitized = list(schema.read(folder / "sanitized.jsonl"))
    texts = [one.text.reveal() for one in records.read(folder / "synthetic.jsonl")]
    assert texts == [one.sanitized for one in sanitized] and len(sanitized) == 9
    assert {path.stem for path in (folder / "figures").glob("*.png")} == {"lengths", "leaks"}
    assert json.loads((folder / "privacy.json").read_text())["events"] == []
    assert (folder / "errors.jsonl").read_text() == "" and '"Ada' not in (folder / "leaks.jsonl").read_text()


def test_texts_of_an_arm_are_annotated_by_detectors(made: Project) -> None:
    folder = play(made, inputs={"arm": "40_pii_text"}, attributes="detectors")
    sanitized = list(schema.read(folder / "sanitized.jsonl"))
    assert len(sanitized) == 4 and {one.label for one in sanitized[0].attributes} >= {"EMAIL", "PHONENUMBER", "DATE"}
    assert records.read(folder / "synthetic.jsonl")[0].labels == {"style": "letter"}


def test_private_records_stay_not_private_and_no_word_of_them_is_shown(
    made: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = play(made, inputs={"corpus": "00_process_data"}, attributes="detectors")
    privacy = json.loads((folder / "privacy.json").read_text())
    assert privacy["epsilon"] is None and privacy["not_for_release"]
    shown = capsys.readouterr()
    assert MARK not in shown.out + shown.err
    assert not any(MARK in one.id for one in records.read(folder / "synthetic.jsonl"))


def test_a_model_sanitizes_and_guesses(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "model", lambda parameters: Answers(guess='{"bone": "arm"}', drop=hide("something")))
    asked = {"rewriter": "model", "guesser": "model", "model": "openai:toy", "base_url": "http://127.0.0.1:1/v1"}
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    folder = play(made, **asked)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["records"] + metrics["failed"] == 9 and metrics["records"] > 4 and metrics["calls"] > 20


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"inputs": {}}, "sanitization.inputs"),
        ({"inputs": {"arm": "40_pii_text", "records": "50_private_records"}}, "sanitization.inputs"),
        ({"inputs": {"records": "40_pii_text"}}, "stage.input_of_another_notebook"),
        ({"inputs": {"arm": "40_pii_text"}}, "sanitization.no_attributes"),
        ({"passages": "model"}, "sanitization.passages"),
        ({"rewriter": "model"}, "sanitization.no_model"),
        ({"model": "openai:toy"}, "sanitization.unread_model"),
        ({"attributes": "detectors", "detectors": ["trained"]}, "sanitization.trained_detector"),
        ({"attributes": "detectors", "detectors": []}, "sanitization.no_detectors"),
        (
            {"inputs": {"corpus": "00_process_data"}, "attributes": "model", "model": "openai:toy"},
            "sanitization.private_to_remote",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused(made: Project, values: dict[str, object], code: str) -> None:
    with refused(code):
        play(made, **values)
