"""Sets are read as they are, spans that cannot be are counted, and no template is on both sides of a fold."""

from pathlib import Path

import pytest
from support.errors import refused
from support.pii_sets import TEMPLATES, examples

from lib.pii.checking import sets
from lib.pii.exports import ai4privacy, presidio
from lib.pii.exports.examples import Example
from lib.pii.spans import Filled, Span


def test_the_synthetic_set_is_grouped_by_template(tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    ai4privacy.write(path, examples(30))
    made = sets.read_synthetic(path)
    assert len(made.filled) == 30 and set(made.groups) == {f"t{number}" for number in range(len(TEMPLATES))}
    assert made.problems == [] and made.labels.names["CITY"] == "LOCATION"
    ai4privacy.write(path, [one._replace(template="") for one in examples(30)])
    assert len(set(sets.read_synthetic(path).groups)) == len(TEMPLATES)  # the texts with slots
    some = sets.read_synthetic(path, most=10, seed=3)
    assert len(some.filled) == 10 and set(some.texts) < set(made.texts)
    assert sets.read_synthetic(path, most=10, seed=3) == some != sets.read_synthetic(path, most=10, seed=4)


def test_spans_with_a_problem_are_left_out_and_counted() -> None:
    text = "Ann and Bob"
    spans = (Span(0, 3, "FIRSTNAME", "Ann"), Span(1, 5, "CITY", "nn a"), Span(8, 11, "FIRSTNAME", "Rob"))
    made = sets.labelled_set("toy", [Filled(text, spans)], ["a"], "doppel")
    assert made.filled == [Filled(text, spans[:1])]
    assert [problem.kind for problem in made.problems] == ["overlap", "value"]


def test_a_file_of_another_format_and_scheme(tmp_path: Path) -> None:
    spans = (Span(0, 3, "PERSON", "Ann"), Span(7, 11, "GPE", "Rome"))
    presidio.write(tmp_path / "file.json", [Example("1", "en", Filled("Ann in Rome", spans))])
    made = sets.read_reference(tmp_path / "file.json", "presidio", "presidio", {"GPE": "LOCATION"})
    assert made.labels.names == {"PERSON": "PERSON", "GPE": "LOCATION"} and not made.labels.aside
    assert made.filled[0].spans == spans and made.name == "reference"
    broken = sets.read_reference(tmp_path / "file.json", "presidio", "presidio", {})
    assert broken.labels.names == {"PERSON": "PERSON", "OTHER": None} and broken.labels.aside == {"OTHER"}
    with refused("pii.unknown_format", value="presidoi"):
        sets.read_reference(tmp_path / "file.json", "presidoi", "presidio", {})
    (tmp_path / "empty.json").write_text("[]")
    with refused("pii.no_texts"):
        sets.read_reference(tmp_path / "empty.json", "presidio", "presidio", {})


@pytest.mark.parametrize("count", [2, 3, 6])
def test_each_text_is_tested_once_by_what_did_not_see_its_template(count: int) -> None:
    groups = [str(number % 6) for number in range(40)]
    split = sets.folds(groups, count, seed=1)
    assert len(split) == count
    assert sorted(row for _, tested in split for row in tested) == list(range(40))
    for learned, tested in split:
        assert not {groups[row] for row in learned} & {groups[row] for row in tested}
        assert sorted(learned + tested) == list(range(40))
    with refused("pii.too_few_templates", value=7):
        sets.folds(groups, 7, seed=1)
