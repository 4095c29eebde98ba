"""A sanitized record in a file and back, and edits of a text."""

import pytest

from lib.common.errors import DoppelError
from lib.private_records.schema import Attribute, Place
from lib.sanitization import schema
from lib.sanitization.schema import Chunk, Edit, Sanitized, Strategy, Targets

TEXT = "Ada is 34. Ada lives in Oslo."
RECORD = Sanitized(
    "record-1",
    TEXT,
    "Ada is in her thirties. Ada lives in Oslo.",
    Targets(("age",), (), ("city",), ("person",)),
    (Attribute("age", "34", "profile", False, (Place(7, 9),)), Attribute("city", "Oslo", "event", False)),
    {"record_type": "note"},
    (Chunk(0, 11), Chunk(11, 29)),
    {"age": (Place(7, 9),)},
    {"age": (0,)},
    (Strategy("age", "abstract", "the decade", "in her thirties"),),
    (Edit(7, 9, "in her thirties"),),
    "Do it.",
    "Please do it.",
)


def test_a_record_comes_back_as_it_was_written(tmp_path):
    schema.write(tmp_path / "sanitized.jsonl", [RECORD])
    assert list(schema.read(tmp_path / "sanitized.jsonl")) == [RECORD]
    assert RECORD.named(["city"])[0].value == "Oslo" and "Oslo" not in repr(RECORD)


def test_another_line_is_refused_without_its_text(tmp_path):
    path = tmp_path / "sanitized.jsonl"
    path.write_text('{"id": "a", "text": "secret"}\n')
    with pytest.raises(DoppelError) as refusal:
        list(schema.read(path))
    assert refusal.value.code == "sanitization.shape" and "secret" not in str(refusal.value)


def test_edits_are_applied_from_left_to_right():
    assert schema.edited(RECORD.text, RECORD.edits) == RECORD.sanitized
    assert schema.edited("abc", [Edit(0, 0, "x"), Edit(1, 2, ""), Edit(3, 3, "y")]) == "xacy"


@pytest.mark.parametrize("edits", [[Edit(2, 4, "")], [Edit(0, 2, ""), Edit(1, 3, "")], [Edit(-1, 0, "")]])
def test_edits_that_overlap_or_lie_outside_are_refused(edits):
    with pytest.raises(DoppelError) as refusal:
        schema.edited("abc", edits)
    assert refusal.value.code == "sanitization.edits"
