"""The grammar of the project: every pair reads and fills, and the whole covers what it promises."""

import re
from collections import Counter
from datetime import date
from itertools import product
from pathlib import Path
from random import Random

import pytest
from support.errors import refused
from support.pii_writing import real, written
from support.project import ROOT

from lib.pii.classes import classes
from lib.pii.detectors.rules import Rules
from lib.pii.slots import Brackets, parse
from lib.pii.spans import fill, problems, unfill
from lib.pii.values import Values
from lib.pii.writing import grammar
from lib.pii.writing.acceptance import NO_SLOT, judge

GRAMMAR = real()
REFERENCE = date(2026, 1, 31)


def values(seed: int, locale: str = "en_US") -> Values:
    return Values(seed, locale, REFERENCE)


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str, grammar.SlotText]]:
    """Ten texts of each pair of field and style."""
    pairs = list(product(GRAMMAR.fields, GRAMMAR.styles))
    return [
        (field, style, GRAMMAR.write(field, style, Random(seed), values(seed), aside=seed % 5 == 0))
        for seed, (field, style) in enumerate(pairs * 10)
    ]


def test_there_are_eleven_fields_and_nine_styles_at_least() -> None:
    assert len(GRAMMAR.fields) >= 11 and len(GRAMMAR.styles) >= 9


def test_every_text_is_without_faults_and_fills_right(texts) -> None:
    for seed, (_, _, (text, _)) in enumerate(texts):
        parsed = parse(text, classes())
        filled = fill(parsed, values(seed).value)
        assert not parsed.faults and not problems(filled, classes()) and unfill(filled) == text
        assert not set("{}|") & set(text.replace(" | ", ""))  # nothing of the grammar's own marks


def test_no_rule_finds_personal_data_beside_the_slots(texts) -> None:
    """What is no slot would stay unlabelled, and teach a detector to overlook it: a *Mr.* beside [PREFIX], say."""
    written = [text for _, _, (text, _) in texts[:400]]
    faults = Counter(one.fault for one in judge(written, Rules("en_US"), Brackets()))
    assert faults.keys() <= {None, NO_SLOT} and faults[None] > 350
    (seen,) = judge(["[FIRSTNAME] met Mr. Bean"], Rules("en_US"), Brackets())
    assert seen.fault == "outside slots: PREFIX"


def test_all_classes_occur_and_texts_are_varied(texts) -> None:
    names = Counter(slot.name for _, _, (text, _) in texts for slot in set(parse(text, classes()).slots))
    assert names.keys() == classes().keys() and min(names.values()) >= 3
    assert len({text for _, _, (text, _) in texts}) > 0.9 * len(texts)


def test_some_texts_have_several_persons_and_some_name_one_often(texts) -> None:
    persons = Counter(
        len({slot.person for slot in parse(text, classes()).slots if classes()[slot.name].of_person})
        for _, _, (text, _) in texts
    )
    assert all(persons[count] > 0.05 * len(texts) for count in (1, 2, 3))
    again = sum(max(Counter(parse(text, classes()).slots).values(), default=0) >= 2 for _, _, (text, _) in texts)
    assert again > 0.3 * len(texts)


def test_some_texts_have_no_personal_data_at_all(texts) -> None:
    assert 0.02 < sum(not parse(text, classes()).slots for _, _, (text, _) in texts) / len(texts) < 0.1


def test_templates_are_named_and_those_of_a_text_are_known(texts) -> None:
    known = GRAMMAR.templates()
    assert len(known) == len(set(known)) > 100
    assert {text.template for _, _, text in texts} <= set(known)
    assert all(text.template.startswith(f"{field}/") for field, _, text in texts)


def test_the_same_draws_give_the_same_text_and_others_another() -> None:
    made = [GRAMMAR.write("bank", "letter", Random(seed), values(1)) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_an_aside_is_put_in_where_it_is_asked_for() -> None:
    """Hard negatives: a reference, [sic], a month called May; rules must not take them for personal data either."""
    seen = set()
    for seed in range(60):
        with_aside, without = (
            GRAMMAR.write("bank", "note", Random(seed), values(seed), aside=aside).text for aside in (True, False)
        )
        assert len(with_aside) > len(without)
        seen.add(with_aside)
    assert any("[sic]" in text for text in seen) and any("May" in text for text in seen)


def test_a_hard_negative_is_no_personal_data_though_an_order_number_may_look_like_a_phone() -> None:
    for field in GRAMMAR.fields:
        for aside in GRAMMAR.asides(field):
            for seed in range(3):
                text = grammar.Writer({}, [], Random(seed), values(seed)).write(aside)
                (found,) = Rules("en_US").find([text])
                assert {span.label for span in found} <= {"PHONENUMBER"}, text


@pytest.mark.parametrize("kind", ["field", "style"])
def test_an_unknown_name_is_refused_with_the_nearest(kind: str) -> None:
    names = {"field": "bank", "style": "chat"} | {kind: "letters"}
    with refused("pii.unknown_in_grammar", name=f"{kind}s", value="letters") as error:
        GRAMMAR.write(names["field"], names["style"], Random(0), values(0))
    assert kind == "field" or "letter" in error.value.remedy


FIELD = """
title: x
scenarios: {s: {subject: S, told: ["I am [FIRSTNAME]."], noted: ["{1:He/She} called."]}}
details: ["D"]
form: ["F: [EMAIL]"]
asks: [["Q?", "A."]]
reviews: ["R"]
posts: ["P"]
asides: ["Room {#99}."]
"""
STYLES = 'styles: {note: ["{told} {aside} {details*0-1}"]}\nlists: {exchange: ["{question} {answer}"]}\n'


@pytest.mark.parametrize(
    ("field", "styles", "code"),
    [
        (FIELD.replace("[EMAIL]", "[EMIAL]"), STYLES, "pii.grammar_slot"),
        (FIELD.replace("[EMAIL]", "[Your Name]"), STYLES, "pii.grammar_slot"),
        (FIELD, STYLES.replace("details", "detials"), "pii.grammar_list"),
        (FIELD.replace("Room {", "Room {{"), STYLES, "pii.phrase"),
        (FIELD.replace("posts: ", "pots: "), STYLES, "pii.file_shape"),
        (FIELD.replace('["Q?", "A."]', '["Q?"]'), STYLES, "pii.file_shape"),
    ],
)
def test_a_grammar_that_cannot_be_written_is_refused(tmp_path: Path, field: str, styles: str, code: str) -> None:
    grammar.load(written(tmp_path / "good", {"styles.yaml": STYLES, "fields/x.yaml": FIELD}))
    with refused(code):
        grammar.load(written(tmp_path / "bad", {"styles.yaml": styles, "fields/x.yaml": field}))


def test_a_grammar_without_fields_is_refused(tmp_path: Path) -> None:
    with refused("pii.grammar_fields"):
        grammar.load(written(tmp_path, {"styles.yaml": STYLES}))


def test_all_files_that_are_read_are_named() -> None:
    named = grammar.files(ROOT / grammar.FOLDER)
    assert len(named) == 1 + len(GRAMMAR.fields) and all(path.is_file() for path in named)


def test_no_article_stands_before_a_slot_as_it_is() -> None:
    """Whether it is *a* or *an* depends on the value: the grammar writes {a}."""
    for path in grammar.files(ROOT / grammar.FOLDER):
        assert not re.search(r"\b[Aa]n? \[[A-Z]", path.read_text()), path.name
