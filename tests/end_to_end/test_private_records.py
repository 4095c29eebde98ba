"""50_private_records by hand: with the grammar, with a model that sometimes fails, and with a file of people."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.errors import refused
from support.project import Project
from support.record_toys import GOOD, StepModel

from lib.data import records
from lib.generation.engines.base import Request
from lib.pii.exports import ai4privacy
from lib.pii.spans import problems
from lib.private_records import opening, schema
from lib.private_records.fields import slots
from lib.private_records.schema import PrivateRecord, check_places

STAGE = "50_private_records"
SMALL = {"samples": 12, "block": 5, "tokenizer": None, "embedding": "hidden:bundled:tiny-random", "tracking": "off"}


def play(house: Project, **values: object) -> Path:
    house.play(STAGE, **SMALL | values)
    return house.stage(STAGE, "quick")


def written(folder: Path) -> list[PrivateRecord]:
    return list(schema.read(folder / "records.jsonl"))


def test_the_grammars_records_are_right_in_every_output(house: Project) -> None:
    folder = play(house, ablation=11)
    made = written(folder)
    assert [one.id for one in made] == [f"record-{i:06d}" for i in range(12)]
    arm, labelled = records.read(folder / "synthetic.jsonl"), ai4privacy.read(folder / "labelled.jsonl")
    assert [one.text.reveal() for one in arm] == [one.filled.text for one in labelled] == [one.text for one in made]
    assert pq.read_table(folder / "records.parquet").column("id").to_pylist() == [one.id for one in made]
    for record, example in zip(made, labelled, strict=True):
        check_places(record.text, record.attributes)
        assert record.attributes and not problems(example.filled, slots())
        assert len(record.rounds) == 2 and record.profile.attr_to_share
    figures = json.loads((folder / "metrics.json").read_text())
    assert (figures["records"], figures["failed"], figures["faults"], figures["calls"]) == (12, 0, 0, 0)
    assert 1 < figures["vendi"] < 12 and figures["vendi_no_revision"] > 1
    assert json.loads((folder / "privacy.json").read_text())["epsilon"] == 0.0
    assert {path.stem for path in (folder / "figures").glob("*.png")} == {
        "toy_gain", "attributes", "acceptance", "lengths", "vendi",
    }  # fmt: skip


def test_a_model_that_fails_now_and_then_leaves_every_record_in_one_file(
    house: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draft(request: Request) -> str:
        return "I cannot assist with that request." if "she, her" in request.messages[-1][1] else GOOD["draft"]

    model = StepModel(judge=["I like both.", '{"better": "A"}', '{"better": "B"}'], draft=draft)
    monkeypatch.setattr(opening, "open_chat", lambda *args, **kwargs: model)
    folder = play(house, author="model", model="openai:x", base_url="http://localhost:9/v1", samples=7, tries=2)
    made, failed = written(folder), schema.read_failed(folder / "errors.jsonl")
    assert made and failed and sorted(one.id for one in (*made, *failed)) == [f"record-{i:06d}" for i in range(7)]
    assert {(one.step, one.reasons) for one in failed} == {("draft", ("refusal", "refusal"))}
    figures = json.loads((folder / "metrics.json").read_text())
    assert figures["calls"] == model.calls.total() >= 13 * len(made)
    assert (figures["records"], figures["failed"]) == (len(made), len(failed))


def test_people_come_from_a_file_and_a_wrong_column_is_refused_before_anything_is_written(house: Project) -> None:
    path = house.root / "people.csv"
    path.write_text("first_name,age,country\nGudrun,44,Germany\nBoris,61,Canada\n")
    made = written(play(house, seeds=f"public:csv:{path}", samples=2, revisions=0))
    assert [(one.profile.seed["first_name"], one.profile.attributes["age"]) for one in made] == [
        ("Gudrun", "44"), ("Boris", "61"),
    ]  # fmt: skip
    path.write_text("first_name,aeg\nGudrun,44\n")
    with refused("private_records.seed_column", value="aeg"):
        play(house, seeds=f"public:csv:{path}", samples=1)
