"""What a set is written as: one schema in JSON Lines and Parquet, spans of slots, counts."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.errors import refused
from support.record_toys import ToyAuthor, embed, tasks

from lib.generation.engines.base import Sampling
from lib.generation.workflow import run
from lib.pii.spans import problems
from lib.private_records import outputs, schema
from lib.private_records.acceptance import Acceptance
from lib.private_records.fields import slots
from lib.private_records.novelty import Sample
from lib.private_records.pipeline import Recipe, write_record
from lib.private_records.schema import Failed, PrivateRecord


@pytest.fixture(scope="module")
def records() -> list[PrivateRecord]:
    recipe, sample = Recipe(events=2, acceptance=Acceptance(diversity=False)), Sample(np.array([]))
    given = {task.id: write_record(task, ToyAuthor(), recipe, embed, sample) for task in tasks(4)}
    return [one.record for one in run(given, None, Sampling()).results.values()]


def test_records_come_back_from_their_file(tmp_path: Path, records: list[PrivateRecord]) -> None:
    schema.write(tmp_path / "records.jsonl", records)
    assert list(schema.read(tmp_path / "records.jsonl")) == records
    failed = [Failed("record-000009", "draft", ("too short", "refusal"))]
    schema.write(tmp_path / "errors.jsonl", failed)
    assert schema.read_failed(tmp_path / "errors.jsonl") == failed
    with refused("private_records.shape"):
        list(schema.read(tmp_path / "errors.jsonl"))


def test_the_table_holds_what_the_lines_hold(tmp_path: Path, records: list[PrivateRecord]) -> None:
    outputs.write_parquet(tmp_path / "records.parquet", records)
    rows = pq.read_table(tmp_path / "records.parquet").to_pylist()
    for row in rows:
        profile = row["profile"]
        for holder in (profile, *profile["events"]):
            holder |= {name: dict(holder[name]) for name in ("seed", "attributes") if name in holder}
        for one in row["attributes"]:
            one["places"] = [tuple(place.values()) for place in one["places"]]
    assert [schema.record(row) for row in rows] == records


def test_an_empty_set_has_the_same_columns(tmp_path: Path) -> None:
    outputs.write_parquet(tmp_path / "records.parquet", [])
    assert pq.read_schema(tmp_path / "records.parquet").names == outputs.SCHEMA.names


def test_labelled_texts_have_exact_spans(records: list[PrivateRecord]) -> None:
    for record, example in zip(records, outputs.labelled(records, tasks(9)), strict=True):
        assert example.filled.text == record.text and not problems(example.filled, slots())
        assert {"FIRSTNAME", "EMAIL", "DOB"} <= {span.label for span in example.filled.spans}


def test_an_arms_records_have_type_and_formality_as_labels(records: list[PrivateRecord]) -> None:
    (first, *_) = outputs.as_arm(records)
    assert first.text.reveal() == records[0].text and first.labels["record_type"] == "note"
    assert first.labels["formal"] in ("yes", "no")


def test_marked_places_are_disjoint_and_name_all_attributes(records: list[PrivateRecord]) -> None:
    record = records[0]
    twice = replace(record.attributes[0], name="again")
    text, spans = outputs.marked(replace(record, attributes=(*record.attributes, twice)))
    assert text == record.text and all(before[1] <= behind[0] for before, behind in pairwise(spans))
    assert spans[0][2] == f"{record.attributes[0].name}, again"
    assert len(spans) == sum(len(one.places) for one in record.attributes)


def test_faults_are_counted(records: list[PrivateRecord]) -> None:
    assert not any(outputs.faults(records, tasks(4)).values())
    bent = replace(records[0], text=f"{records[0].text[1:]} ")
    found = outputs.faults([bent, *records[1:]], tasks(4))
    assert list(found.values()) == [sum(len(one.places) for one in bent.attributes), 1]
    with refused("private_records.faults", value=sum(found.values())):
        outputs.require(found)
    outputs.require(outputs.faults(records, tasks(4)))


def test_failures_are_told_by_step_and_reasons() -> None:
    made = [Failed("a", "draft", ("too short",) * 2), Failed("b", "judge"), Failed("c", "draft", ("too short",) * 2)]
    assert outputs.failures(made)[0] == {"step": "draft", "reasons": "too short, too short", "records": 2}


def test_counts(records: list[PrivateRecord]) -> None:
    told = outputs.by_category(records)
    assert told["event"] == 8 and sum(told.values()) == sum(len(one.attributes) for one in records)
    assert outputs.accepted_by_round(records) == [(4, 4), (4, 4)] and outputs.accepted_by_round([]) == []
    assert min(outputs.word_counts(records)) > 30
