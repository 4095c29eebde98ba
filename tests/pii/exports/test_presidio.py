"""presidio-evaluator's samples, ours and its own."""

import json
from pathlib import Path

from support.pii_toys import spanned

from lib.pii.exports import presidio
from lib.pii.exports.examples import Example

# the parameters of InputSample's constructor, which is called with the keys of a sample
CONSTRUCTOR = {
    "full_text", "spans", "masked", "tokens", "tags", "create_tags_from_span", "token_model_version", "scheme",
    "metadata", "sample_id", "template_id", "start_indices",
}  # fmt: skip


def test_a_sample_is_what_input_sample_is_made_from(tmp_path: Path) -> None:
    text = spanned("Hi Bob {{x}}, write to Ann", ("Bob", "PERSON", 1), ("Ann", "PERSON", 2))
    presidio.write(tmp_path / "x.json", [Example("a", "en", text)])
    (sample,) = json.loads((tmp_path / "x.json").read_text())
    assert sample.keys() <= CONSTRUCTOR - {"create_tags_from_span"}
    assert sample["masked"] == "Hi {{person}} {{x}}, write to {{person}}"
    assert sample["spans"][0] == {
        "entity_type": "PERSON", "entity_value": "Bob", "start_position": 3, "end_position": 6,
    }  # fmt: skip
    (example,) = presidio.read(tmp_path / "x.json")
    assert [span[2:] for span in example.filled.spans] == [("PERSON", "Bob", 1), ("PERSON", "Ann", 2)]


def test_samples_of_others_are_read_sorted_and_without_persons(tmp_path: Path) -> None:
    span = {"normalized_tokens": None, "token_start": None}  # newer versions write them
    spans = [
        {"entity_type": "PERSON", "entity_value": "Bo", "start_position": 9, "end_position": 11} | span,
        {"entity_type": "PHONE_NUMBER", "entity_value": "555", "start_position": 0, "end_position": 3} | span,
    ]
    sample = {"full_text": "555 is of Bo", "masked": None, "spans": spans, "template_id": 3}
    for metadata in (None, {"Gender": "female"}, {"id": "x", "language": "en", "persons": [1]}):
        (tmp_path / "x.json").write_text(json.dumps([sample | {"metadata": metadata}]))
        (example,) = presidio.read(tmp_path / "x.json")
        assert example.id == ("x" if metadata and "id" in metadata else "1")
        assert [(span.start, span.person) for span in example.filled.spans] == [(0, None), (9, None)]
