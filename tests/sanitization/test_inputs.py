"""Records that are sanitized: of each kind of input, as many as asked for, and no id of theirs afterwards."""

from pathlib import Path

import pytest
from support.errors import refused

from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.sanitization import inputs
from lib.sanitization.schema import Sanitized

ROWS = [Record(f"r{i}", PrivateText(f"Text {i}."), {"mood": "glad"}, user="ann") for i in range(3)]


@pytest.mark.parametrize(("name", "file"), [("arm", "synthetic.jsonl"), ("corpus", "train.jsonl")])
def test_texts_of_an_arm_and_of_a_corpus_have_no_attributes_yet(tmp_path: Path, name: str, file: str) -> None:
    records.write(tmp_path / file, ROWS)
    found = inputs.read(name, tmp_path, None)
    assert [(one.id, one.text, one.labels, one.attributes) for one in found] == [
        (f"r{i}", f"Text {i}.", {"mood": "glad"}, ()) for i in range(3)
    ]
    assert inputs.read(name, tmp_path, 2) == found[:2] and inputs.KINDS[name].private is (name == "corpus")


def test_what_holds_something_else_is_refused_by_line_and_not_quoted(tmp_path: Path) -> None:
    for name, kind in inputs.KINDS.items():
        (tmp_path / kind.file).write_text('{"private": "sesame"}\n')
        with pytest.raises(Exception, match=kind.file) as error:
            inputs.read(name, tmp_path, None)
        assert "sesame" not in str(error.value)


def test_a_set_of_private_records_that_is_none_is_refused(tmp_path: Path) -> None:
    records.write(tmp_path / "records.jsonl", ROWS)
    with refused("private_records.shape"):
        inputs.read("records", tmp_path, None)


def test_sanitized_texts_keep_labels_and_get_ids_of_their_own() -> None:
    rows = [Sanitized(f"ann-{i}", "Ann.", f"She {i}.", labels={"mood": "sad"}) for i in range(2)]
    assert inputs.as_records(rows) == [
        Record(f"sanitized-{i:06d}", PrivateText(f"She {i}."), {"mood": "sad"}) for i in range(2)
    ]
