"""Every format: what is written is read again, but for what the format says that it loses; bad files are refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.errors import refused
from support.pii_tokenizers import TOKENIZERS
from support.pii_toys import CLASSES, TEXTS, filled

from lib.pii.alignment import tag
from lib.pii.exports import ai4privacy, conll, huggingface, presidio, spacy, tab
from lib.pii.exports.examples import Example
from lib.pii.exports.registry import FORMATS
from lib.pii.spans import problems
from lib.pii.words import words

SECRET = "Xanthippe Quillfeather"
EXAMPLES = [
    Example(f"t{number}", "en" if number % 2 else "ja", filled(text, seed))
    for number, (text, seed) in enumerate((text, seed) for text in TEXTS for seed in range(6))
]
KINDS = {label: tab.Kind("PERSON" if "NAME" in label else "CODE", "DIRECT") for label in CLASSES}
WRITE: dict[str, Callable[[Path, list[Example]], object]] = {
    "ai4privacy": ai4privacy.write,
    "huggingface": lambda path, examples: huggingface.write(path, examples, CLASSES),
    "spacy": spacy.write,
    "presidio": presidio.write,
    "conll": conll.write,
    "tab": lambda path, examples: tab.write(path, examples, KINDS, "train"),
}


def written(folder: Path, name: str, examples: list[Example] = EXAMPLES) -> Path:
    path = folder / f"x{FORMATS[name].suffix}"
    WRITE[name](path, examples)
    return path


def test_every_format_has_a_writer_and_says_what_it_loses() -> None:
    assert WRITE.keys() == FORMATS.keys() and all(form.loses and form.title for form in FORMATS.values())


@pytest.mark.parametrize("name", ["ai4privacy", "presidio"])
def test_formats_that_lose_nothing_give_everything_back(tmp_path: Path, name: str) -> None:
    assert FORMATS[name].read(written(tmp_path, name)) == EXAMPLES


@pytest.mark.parametrize("name", ["ai4privacy", "presidio", "spacy", "tab"])
def test_formats_of_offsets_give_texts_and_spans_back(tmp_path: Path, name: str) -> None:
    returned = FORMATS[name].read(written(tmp_path, name))
    assert [example.filled.text for example in returned] == [example.filled.text for example in EXAMPLES]
    for before, after in zip(EXAMPLES, returned, strict=True):
        places = [(span.start, span.end, span.value) for span in before.filled.spans]
        assert [(span.start, span.end, span.value) for span in after.filled.spans] == places
        labels = [KINDS[span.label].entity_type if name == "tab" else span.label for span in before.filled.spans]
        assert [span.label for span in after.filled.spans] == labels
        assert problems(after.filled, CLASSES) == []


def test_a_dataset_gives_the_spans_back_that_end_with_words(tmp_path: Path) -> None:
    moved = huggingface.write(tmp_path / "x.parquet", EXAMPLES, CLASSES)
    returned = huggingface.read(tmp_path / "x.parquet")
    assert [(e.id, e.language, e.filled.text) for e in returned] == [
        (e.id, e.language, e.filled.text) for e in EXAMPLES
    ]
    differ = total = 0
    for before, after in zip(EXAMPLES, returned, strict=True):
        total += len(before.filled.spans)
        differ += len({span[:3] for span in before.filled.spans} - {span[:3] for span in after.filled.spans})
    assert differ == moved < total / 5


def test_conll_gives_the_words_and_their_tags_back(tmp_path: Path) -> None:
    moved = conll.write(tmp_path / "x.conll", EXAMPLES)
    returned = conll.read(tmp_path / "x.conll")
    assert len(returned) == len(EXAMPLES) and moved > 0
    for before, after in zip(EXAMPLES, returned, strict=True):
        text, spans = before.filled
        offsets = words(text)
        assert after.filled.text.split(" ") == ([text[start:end] for start, end in offsets] or [""])
        places, length = [], 0
        for word in after.filled.text.split(" "):
            places.append((length, length + len(word)))
            length += len(word) + 1
        assert tag(after.filled.spans, places if offsets else []).tags == tag(spans, offsets).tags


@pytest.mark.parametrize("name", FORMATS)
def test_no_text_is_a_file_too(tmp_path: Path, name: str) -> None:
    assert FORMATS[name].read(written(tmp_path, name, [])) == []


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("ai4privacy", {"source_text": SECRET, "target_text": "", "id": 1}, "privacy_mask"),
        ("ai4privacy", {"source_text": SECRET, "target_text": "", "privacy_mask": [{"value": SECRET}], "id": 1},
         "privacy_mask.0.start"),
        ("ai4privacy", {"source_text": SECRET, "target_text": "", "privacy_mask": repr([]), "id": 1}, "privacy_mask"),
        ("ai4privacy", {"source_text": "\ud83d", "target_text": "", "privacy_mask": [], "id": 1}, "source_text"),
        ("spacy", [[SECRET]], "pair.1"),
        ("spacy", [{"text": SECRET, "entities": []}], "pair"),
        ("spacy", [[SECRET, {"entities": [[0, 1.5, "A"]]}]], "pair.1.entities.0.1"),
        ("spacy", [["\udc00", {"entities": []}]], "pair"),
        ("presidio", [{"full_text": SECRET, "spans": [{"entity_type": "A"}]}], "spans.0.entity_value"),
        ("presidio", [{"full_text": SECRET, "spans": None}], "spans"),
        ("presidio", [SECRET], "the row"),
        ("tab", [{"doc_id": SECRET, "text": SECRET}], "annotations"),
        ("tab", [{"doc_id": 1, "text": "", "annotations": {}}], "doc_id"),
    ],
)  # fmt: skip
def test_a_row_of_another_shape_is_refused_by_its_field(tmp_path: Path, name: str, content: object, field: str) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps(content))
    with refused("pii.export_field", name=field) as error:
        FORMATS[name].read(path)
    assert SECRET not in str(error.value) and error.value.where.startswith(str(path))


@pytest.mark.parametrize("name", ["spacy", "presidio", "tab"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[", b"\xff", b"[" * 100_000])
def test_what_is_no_array_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with refused("pii.export_array"):
        FORMATS[name].read(path)


@pytest.mark.parametrize(("line", "number"), [("Bob", 2), ("Bob _ _ PERSON", 2), ("Bob\tB", 2)])
def test_a_conll_line_without_a_tag_is_refused(tmp_path: Path, line: str, number: int) -> None:
    path = tmp_path / "x.conll"
    path.write_text(f"{SECRET} O\n{line}\n")
    with refused("pii.conll_line", value=number) as error:
        conll.read(path)
    assert "Bob" not in str(error.value)
    path.write_bytes(b"Bob O\n\xff O\n")
    with refused("common.not_utf8"):
        conll.read(path)


def test_the_spans_of_others_are_read_as_they_are_and_the_checker_counts_their_faults(tmp_path: Path) -> None:
    """The predecessor's offsets are those of the masked text, its ends are off by one."""
    row = {
        "source_text": "Hi Zebulon, bye", "target_text": "Hi [FIRSTNAME], bye", "id": 7, "language": "en",
        "privacy_mask": [{"value": "Zebulon", "start": 3, "end": 9, "label": "FIRSTNAME"}],
        "span_labels": [[0, 3, "O"], [3, 9, "FIRSTNAME"]], "mbert_text_tokens": [], "set": "train",
    }  # fmt: skip
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row) + "\n")
    (example,) = ai4privacy.read(path)
    assert (example.id, example.filled.spans[0].person) == ("7", 1)
    assert [problem.kind for problem in problems(example.filled, CLASSES)] == ["value"]


def test_the_columns_of_ai4privacy_are_those_of_the_sets(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    counts = ai4privacy.write(path, EXAMPLES, TOKENIZERS["WordLevel, white space"]())
    assert counts.texts == len(EXAMPLES) and 0 < counts.straddling < counts.tokens / 4
    assert ai4privacy.write(tmp_path / "y", EXAMPLES) is None
    for line, example in zip(path.read_text(encoding="utf-8").split("\n"), EXAMPLES, strict=False):
        row = json.loads(line)
        assert list(row) == [
            "source_text", "target_text", "privacy_mask", "span_labels", "mbert_text_tokens", "mbert_bio_labels", "id",
            "language",
        ]  # fmt: skip
        assert "".join(row["source_text"][start:end] for start, end, _ in row["span_labels"]) == example.filled.text
        masked = [piece for piece in row["span_labels"] if piece[2] != "O"]
        assert masked == [[mask["start"], mask["end"], mask["label"]] for mask in row["privacy_mask"]]
        assert len(row["mbert_text_tokens"]) == len(row["mbert_bio_labels"]) and "[CLS]" not in row["mbert_text_tokens"]
    assert ai4privacy.read(path) == EXAMPLES


@pytest.mark.parametrize(
    ("labels", "target", "persons"),
    [
        (["FIRSTNAME", "CITY"], "[FIRSTNAME_3] [CITY]", [3, 1]),
        (["FIRSTNAME", "CITY"], "[CITY] [FIRSTNAME_3]", [None, None]),
        (["FIRSTNAME", "CITY"], "[FIRSTNAME_3] [CITY] [CITY]", [None, None]),
        (["First Name", "CITY"], "[First Name] [CITY_2]", [None, None]),
    ],
)
def test_persons_are_those_of_the_masked_text_where_it_has_the_same_slots(
    tmp_path: Path, labels: list[str], target: str, persons: list[int | None]
) -> None:
    masks = [
        {"value": "Al", "start": start, "end": start + 2, "label": label}
        for start, label in zip((0, 3), labels, strict=True)
    ]
    row = {"source_text": "Al Al", "target_text": target, "privacy_mask": masks[::-1], "id": "a"}
    (tmp_path / "x.jsonl").write_text(json.dumps(row))
    (example,) = ai4privacy.read(tmp_path / "x.jsonl")
    assert [(span.label, span.person) for span in example.filled.spans] == list(zip(labels, persons, strict=True))
    assert example.language == ""
