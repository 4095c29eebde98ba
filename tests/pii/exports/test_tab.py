"""TAB's documents: what is one entity, and files of its own."""

import json
from pathlib import Path

import pytest
from support.errors import refused
from support.pii_toys import spanned

from lib.pii.exports import tab
from lib.pii.exports.examples import Example
from lib.pii.exports.tab import Kind

KINDS = {
    "FIRSTNAME": Kind("PERSON", "DIRECT"),
    "LASTNAME": Kind("PERSON", "DIRECT"),
    "USERNAME": Kind("PERSON", "DIRECT"),
    "EMAIL": Kind("CODE", "DIRECT"),
    "PHONENUMBER": Kind("CODE", "DIRECT"),
    "CITY": Kind("LOC", "QUASI"),
}


def document(folder: Path, *spans: tuple) -> dict:
    text = spanned(" ".join(span[0] for span in spans), *spans)
    tab.write(folder / "x.json", [Example("d1", "en", text)], KINDS, "test")
    return json.loads((folder / "x.json").read_text())[0]


def test_a_document_has_the_fields_that_tab_reads(tmp_path: Path) -> None:
    made = document(tmp_path, ("Bob", "FIRSTNAME", 1))
    assert made.keys() == {"annotations", "dataset_type", "doc_id", "meta", "quality_checked", "task", "text"}
    assert (made["dataset_type"], made["doc_id"], made["text"]) == ("test", "d1", "Bob")
    (mention,) = made["annotations"]["annotator1"]["entity_mentions"]
    assert mention == {
        "entity_type": "PERSON", "entity_mention_id": "d1_a1_em1", "start_offset": 0, "end_offset": 3,
        "span_text": "Bob", "edit_type": "insert", "identifier_type": "DIRECT", "entity_id": "d1_a1_e1",
        "confidential_status": "NOT_CONFIDENTIAL",
    }  # fmt: skip


def test_all_names_of_a_person_are_one_entity_and_nothing_else_is(tmp_path: Path) -> None:
    made = document(
        tmp_path, ("John", "FIRSTNAME", 1), ("Smith", "LASTNAME", 1), ("@jsmith", "USERNAME", 1), ("Ulm", "CITY", 1),
        ("j@x.org", "EMAIL", 1), ("Ann", "FIRSTNAME", 2), ("Ulm", "CITY", 2), ("John", "FIRSTNAME", 1),
        ("Ed", "FIRSTNAME"), ("Ed", "FIRSTNAME"), ("Al", "FIRSTNAME"), ("555", "PHONENUMBER", 1),
    )  # fmt: skip
    mentions = made["annotations"]["annotator1"]["entity_mentions"]
    entities = [int(mention["entity_id"].rpartition("e")[2]) for mention in mentions]
    assert entities == [1, 1, 1, 2, 3, 4, 5, 1, 6, 6, 7, 8]
    (example,) = tab.read(tmp_path / "x.json")
    assert [span.person for span in example.filled.spans] == entities


def test_a_class_that_is_nothing_to_tab_is_refused(tmp_path: Path) -> None:
    with refused("pii.tab_kind", name="SSN"):
        tab.write(tmp_path / "x", [Example("a", "en", spanned("1", ("1", "SSN", 1)))], KINDS, "train")
    for kind in (Kind("NAME", "DIRECT"), Kind("PERSON", "SECRET")):
        with refused("pii.tab_kind", name="EMAIL"):
            tab.write(tmp_path / "x", [], {"EMAIL": kind}, "train")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("annotators", "ids"), [(1, ["d"]), (2, ["d/annotator1", "d/annotator2"])])
def test_a_document_of_several_annotators_is_several_texts(tmp_path: Path, annotators: int, ids: list[str]) -> None:
    mentions = [
        {"entity_type": "LOC", "entity_id": "d_a1_e9", "start_offset": 8, "end_offset": 11, "span_text": "Ulm",
         "related_mentions": [], "identifier_type": "QUASI"},
        {"entity_type": "PERSON", "entity_id": "d_a1_e3", "start_offset": 0, "end_offset": 4, "span_text": "Mr B"},
    ]  # fmt: skip
    annotations = {f"annotator{number}": {"entity_mentions": mentions} for number in range(1, annotators + 1)}
    (tmp_path / "x").write_text(json.dumps([{"doc_id": "d", "text": "Mr B in Ulm", "annotations": annotations}]))
    examples = tab.read(tmp_path / "x")
    assert [example.id for example in examples] == ids
    assert examples[0].filled.spans == ((0, 4, "PERSON", "Mr B", 1), (8, 11, "LOC", "Ulm", 2))
