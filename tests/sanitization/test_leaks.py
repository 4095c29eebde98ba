"""Direct leaks: every writing of a value is found, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.sanitized_toys import CLEAN, PLANTED, TEXT, VALUES

from lib.private_records.schema import Attribute, Place
from lib.sanitization.leaks import Searched, direct, mentions


def stands(value: str, text: str) -> list[str]:
    return [text[start:end] for start, end in Searched(text).places(value)]


@pytest.mark.parametrize("name", [name for name, (_, _, kind) in PLANTED.items() if kind == "direct"])
def test_a_planted_value_is_found_in_whatever_writing(name):
    target, said, _ = PLANTED[name]
    assert stands(VALUES[target][0], f"{CLEAN} {said}")


@pytest.mark.parametrize("name", [name for name in VALUES if name != "escort"])
def test_a_clean_text_has_none(name):
    assert stands(VALUES[name][0], TEXT), "the control: it stands in the original"
    assert not stands(VALUES[name][0], CLEAN)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ann", "She is planning Annette's day."),
        ("42", "It is 4.2 or 142 or 42.5 or room B42."),
        ("A+", "An A, or A+B; a plus."),
        ("US", "They told us."),
        ("O-", "It is O-negative."),
        ("Maria Lopez", "Maria met Ana Lopez."),
        ("12 March 2021", "It was on 13 March 2021, in March 2021."),
        ("415-555-0123", "415-555-0124"),
        ("1.25", "125"),
        ("14:30", "at 2:30 am, or for $1,430, or at 14:31"),
        ("李明", "李小明"),
        ("", "anything"),
    ],
)
def test_something_else_is_not_found(value, text):
    assert not stands(value, text)


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("李明", "我叫李明。", ["李明"]),
        ("Søren Müller", "SOREN MULLER", ["SOREN MULLER"]),
        ("Straße", "strasse", ["strasse"]),
        ("４２", "42", ["42"]),
        ("٤٢", "is 42.", ["42"]),
        ("A+", "Type A+.", ["A+"]),
        ("O'Brien", "OBrien", ["OBrien"]),
        ("Anne-Marie", "AnneMarie's", ["AnneMarie"]),
        ("Smith", "call JohnSmith", ["Smith"]),
        ("+44 20 7946 0958", "on 7946 0958", ["7946 0958"]),
        ("555-0123", "five five five oh one two three", ["five five five oh one two three"]),
        ("14:30", "at 2:30 p.m. or half past", ["2:30 p.m."]),
        ("9am", "by 9:00", ["9:00"]),
        ("2:30 PM", "by 14h30", ["14h30"]),
        ("4111 1111 1111 1111", "4111111111111111", ["4111111111111111"]),
        ("מרים", "שמה מרים.", ["מרים"]),
    ],
)
def test_writings_of_other_kinds(value, text, found):
    assert stands(value, text) == found


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=30), st.text(max_size=40), st.text(max_size=40))
@example("42", "4", "2")
@example("ﬁ", " ", " ")
def test_a_value_between_spaces_is_always_found(value, before, behind):
    if any(map(str.isalnum, value)):
        assert Searched(f"{before} . {value} . {behind}").places(value)


@settings(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=10))
def test_places_lie_in_the_text(text, value):
    for start, end in Searched(text).places(value):
        assert 0 <= start < end <= len(text)


def test_a_mention_that_is_a_part_counts_too():
    text = "Maria Lopez came. Maria left."
    name = Attribute("name", "Maria Lopez", "profile", True, (Place(0, 11), Place(18, 23)))
    assert mentions(name, text) == ("Maria Lopez", "Maria")
    assert direct(mentions(name, text), Searched("Somebody came. maria left.")) == (Place(15, 20),)
    assert direct(mentions(name, text), Searched("Somebody came and left.")) == ()
