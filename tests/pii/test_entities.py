"""Labels of detectors become our classes, and mentions get the number of their person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.errors import refused

from lib.pii.classes import classes, mapping
from lib.pii.entities import COARSE, MOST, as_classes, numbered
from lib.pii.spans import Filled, Span, problems


def spans_in(text: str, *found: tuple[str, str]) -> list[Span]:
    """Spans of values with labels, each behind the one before."""
    spans, done = [], 0
    for value, label in found:
        start = text.index(value, done)
        done = start + len(value)
        spans.append(Span(start, done, label, value))
    return spans


def numbers(text: str, *found: tuple[str, str]) -> list[tuple[str, int]]:
    return [(span.label, span.person) for span in numbered(text, spans_in(text, *found))]


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("Dave", [("FIRSTNAME", "Dave")]),
        ("Dave Jones", [("FIRSTNAME", "Dave"), ("LASTNAME", "Jones")]),
        ("Juan de la\nCruz's", [("FIRSTNAME", "Juan"), ("MIDDLENAME", "de la"), ("LASTNAME", "Cruz")]),
        ("'s", []),
    ],
)
def test_a_name_is_split_at_its_words(value, right):
    found = as_classes(Span(3, 3 + len(value), "PERSON", value), "ontonotes")
    assert [(span.label, span.value) for span in found] == right
    assert all(f"...{value}"[span.start : span.end] == span.value for span in found)


@pytest.mark.parametrize(
    ("label", "scheme", "value", "right"),
    [
        ("EMAIL", "doppel", "a@b.com", ["EMAIL"]),
        ("EMAIL_ADDRESS", "presidio", "a@b.com", ["EMAIL"]),
        ("GPE", "ontonotes", "Rome", ["CITY"]),
        ("CARDINAL", "ontonotes", "two", []),
        ("CRYPTO", "presidio", "0x52908400098527886E0F7030069857D2E4169EE7", ["ETHEREUMADDRESS"]),
    ],
)
def test_a_label_becomes_one_class_or_is_left(label, scheme, value, right):
    assert [span.label for span in as_classes(Span(0, len(value), label, value), scheme)] == right


@pytest.mark.parametrize("scheme", ["presidio", "ontonotes", "tab"])
def test_every_label_of_a_scheme_has_a_class_or_is_left_on_purpose(scheme):
    for label in set(mapping(scheme).values()) - {None}:
        found = as_classes(Span(0, 1, label, "x"), scheme)
        assert all(span.label in classes() for span in found)
        assert found or COARSE[label] is None


def test_a_label_that_the_scheme_has_not_is_refused():
    with refused("pii.unknown_label", value="PRESON"):
        as_classes(Span(0, 1, "PRESON", "x"), "presidio")


def test_equal_names_are_one_person_and_others_another():
    text = "Alice and Bob and Alice"
    assert numbers(text, ("Alice", "FIRSTNAME"), ("Bob", "FIRSTNAME"), ("Alice", "FIRSTNAME")) == [
        ("FIRSTNAME", 1),
        ("FIRSTNAME", 2),
        ("FIRSTNAME", 1),
    ]


def test_a_last_name_alone_is_that_of_the_person_who_has_it_wherever_the_whole_name_stands():
    text = "Smith and Ms. Lee, that is John Smith and ANN LEE"
    found = [("Smith", "FIRSTNAME"), ("Ms.", "PREFIX"), ("Lee", "LASTNAME"), ("John", "FIRSTNAME")]
    found += [("Smith", "LASTNAME"), ("ANN", "FIRSTNAME"), ("LEE", "LASTNAME")]
    assert numbers(text, *found) == [
        ("LASTNAME", 1),
        ("PREFIX", 2),
        ("LASTNAME", 2),
        ("FIRSTNAME", 1),
        ("LASTNAME", 1),
        ("FIRSTNAME", 2),
        ("LASTNAME", 2),
    ]


def test_an_address_belongs_to_the_person_whose_name_it_has():
    text = "Ann (bob@x.org) wrote to Bob: ann.b@y.org, @bobby, z@z.com"
    found = [("Ann", "FIRSTNAME"), ("bob@x.org", "EMAIL"), ("Bob", "FIRSTNAME")]
    found += [("ann.b@y.org", "EMAIL"), ("@bobby", "USERNAME"), ("z@z.com", "EMAIL")]
    assert [number for _, number in numbers(text, *found)] == [1, 2, 2, 1, 2, 3]


def test_two_spellings_of_a_number_are_one_and_two_on_two_lines_are_two():
    text = "425-555-0123\n425-555-0188 (425) 555 0123"
    found = [("425-555-0123", "PHONENUMBER"), ("425-555-0188", "PHONENUMBER"), ("(425) 555 0123", "PHONENUMBER")]
    assert numbers(text, *found) == [("PHONENUMBER", 1), ("PHONENUMBER", 2), ("PHONENUMBER", 1)]


def test_no_number_is_above_what_a_slot_can_have():
    text = " ".join(f"{number:04}" for number in range(MOST + 2))
    found = numbers(text, *((f"{number:04}", "PIN") for number in range(MOST + 2)))
    assert max(number for _, number in found) == MOST


@given(
    st.lists(st.tuples(st.sampled_from(["Ann", "Bo", "ann", "x@y.z"]), st.sampled_from(sorted(classes()))), max_size=9)
)
def test_places_stay_and_equal_values_of_a_class_have_equal_numbers(found):
    text = " ".join(value for value, _ in found)
    done = numbered(text, spans_in(text, *found))
    assert not problems(Filled(text, done), [])
    seen: dict[tuple[str, str], int] = {}
    for span in done:
        assert seen.setdefault((span.label, span.value.casefold()), span.person) == span.person
