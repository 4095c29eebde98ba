"""One convention for sets and detectors with different ones."""

import pytest
from support.errors import refused
from support.pii_toys import spanned

from lib.pii.checking.common import FOREIGN, Translation, aside, outside, places, translation
from lib.pii.spans import Span

OURS = (
    "FIRSTNAME",
    "MIDDLENAME",
    "LASTNAME",
    "CITY",
    "STREET",
    "BUILDINGNUMBER",
    "ZIPCODE",
    "DATE",
    "TIME",
    "PHONENUMBER",
)
KEPT = ("PERSON", "LOCATION", "DATE_TIME", "PHONE_NUMBER")


def found(text: str, *spans: tuple[str, str], left_out: list[tuple[int, int]] | None = None) -> list[tuple[str, str]]:
    """The values and common names of spans under the convention."""
    filled = spanned(text, *spans)
    labels = translation("doppel", OURS)
    return [(text[start:end], label) for start, end, label in places(text, filled.spans, labels, KEPT, left_out or [])]


@pytest.mark.parametrize(
    ("text", "spans", "expected"),
    [
        ("Dave Jones left", [("Dave", "FIRSTNAME"), ("Jones", "LASTNAME")], [("Dave Jones", "PERSON")]),
        ("Dave J. Jones", [("Dave", "FIRSTNAME"), ("Jones", "LASTNAME")], [("Dave J. Jones", "PERSON")]),
        ("Dave\nJones", [("Dave", "FIRSTNAME"), ("Jones", "LASTNAME")], [("Dave", "PERSON"), ("Jones", "PERSON")]),
        ("Dave, Ann", [("Dave", "FIRSTNAME"), ("Ann", "FIRSTNAME")], [("Dave", "PERSON"), ("Ann", "PERSON")]),
        (
            "5 Elm Road,\n> Leeds 1234 ok",
            [("5", "BUILDINGNUMBER"), ("Elm Road", "STREET"), ("Leeds", "CITY"), ("1234", "ZIPCODE")],
            [("5 Elm Road,\n> Leeds 1234", "LOCATION")],
        ),
        ("Leeds and York", [("Leeds", "CITY"), ("York", "CITY")], [("Leeds", "LOCATION"), ("York", "LOCATION")]),
        ("555 0100\n555 0101", [("555 0100", "PHONENUMBER"), ("555 0101", "PHONENUMBER")],
         [("555 0100", "PHONE_NUMBER"), ("555 0101", "PHONE_NUMBER")]),
        ("2026-01-31 10:30", [("2026-01-31", "DATE"), ("10:30", "TIME")], [("2026-01-31 10:30", "DATE_TIME")]),
    ],
    ids=["name", "initial", "two lines", "two people", "address", "two cities", "two phones", "date and time"],
)  # fmt: skip
def test_parts_of_one_thing_are_one_span(
    text: str, spans: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    assert found(text, *spans) == expected


def test_what_is_set_aside_is_taken_out_of_every_span_and_joins_nothing() -> None:
    text = "Elm Road, Leeds, France 1234"
    country = [(17, 23)]
    assert found(text, ("Elm Road, Leeds, France 1234", "STREET"), left_out=country) == [
        ("Elm Road, Leeds", "LOCATION"),
        ("1234", "LOCATION"),
    ]
    parts = [("Elm Road", "STREET"), ("Leeds", "CITY"), ("1234", "ZIPCODE")]
    assert found(text, *parts, left_out=country) == [("Elm Road, Leeds", "LOCATION"), ("1234", "LOCATION")]
    assert found(text, ("France", "CITY"), left_out=country) == []
    assert outside(0, 10, [(2, 4), (8, 12)]) == [(0, 2), (4, 8)]


@pytest.mark.parametrize(
    ("scheme", "label", "name", "is_aside"),
    [
        ("doppel", "CITY", "LOCATION", False),
        ("doppel", "PASSWORD", None, False),
        ("doppel", "HOBBY", None, True),
        ("presidio", "PERSON", "PERSON", False),
        ("presidio", "NRP", None, True),
        ("ontonotes", "GPE", "LOCATION", False),
        ("ontonotes", "CARDINAL", None, False),  # a house, a phone, a PIN
        ("ontonotes", "ORG", None, False),
        ("tab", "PERSON", "PERSON", False),  # though a handle is one, which Presidio does not name
        ("tab", "DEM", None, False),
        (FOREIGN, "city", "LOCATION", False),
        (FOREIGN, "country", None, True),
        (FOREIGN, "job", None, False),
    ],
)
def test_common_names(scheme: str, label: str, name: str | None, is_aside: bool) -> None:
    assert translation(scheme, [label]) == Translation({label: name}, frozenset([label] if is_aside else []))


def test_names_that_a_user_gives_come_first() -> None:
    labels = translation("presidio", ["GPE", "NRP"], {"GPE": "LOCATION"})
    assert labels == Translation({"GPE": "LOCATION", "NRP": None}, frozenset({"NRP"}))
    filled = spanned("A Dane in Rome", ("Dane", "NRP"), ("Rome", "GPE"))
    assert aside(filled, labels) == [(2, 6)]
    with refused("pii.unknown_common_name", value="PLACE"):
        translation("presidio", ["GPE"], {"GPE": "PLACE"})
    with refused("pii.unknown_scheme", value="presido"):
        translation("presido", ["GPE"])


def test_spans_of_classes_that_are_not_looked_at_are_left_out() -> None:
    labels = translation("doppel", OURS)
    assert places("Ann", [Span(0, 3, "FIRSTNAME", "Ann")], labels, ["LOCATION"], []) == []
