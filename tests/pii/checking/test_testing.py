"""What a detector finds is counted for the classes of both sets, and what is left out is told."""

from collections.abc import Sequence

import pytest
from support.pii_toys import spanned

from lib.pii.checking import common, sets, testing
from lib.pii.checking.scores import measured
from lib.pii.spans import Span


class Everything:
    """Takes every word for a first name."""

    name = "everything"
    scheme = "presidio"

    def __init__(self) -> None:
        self.calls: list[int] = []

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        self.calls.append(len(texts))
        return [
            tuple(Span(text.index(word), text.index(word) + len(word), "PERSON", word) for word in text.split())
            for text in texts
        ]


HOME = sets.labelled_set(
    "synthetic",
    [spanned("Ann met Bob", ("Ann", "FIRSTNAME"), ("Bob", "FIRSTNAME")), spanned("pin 1234", ("1234", "PIN"))],
    ["a", "b"],
    "doppel",
)
AWAY = sets.labelled_set(
    common.FOREIGN,
    [spanned("Ann France Acme", ("Ann", "first_name"), ("France", "country"), ("Acme", "organization"))],
    ["1"],
    common.FOREIGN,
)


def test_detectors_read_in_parts_and_tell_how_far_they_are() -> None:
    detector, told = Everything(), []
    spans = testing.found(detector, ["a b"] * 600, told.append)
    assert detector.calls == told == [256, 256, 88] and len(spans) == 600


def test_only_classes_of_both_sets_are_compared() -> None:
    assert testing.both(HOME, AWAY) == ["PERSON"]
    rows = testing.left_out(AWAY, ["PERSON"]) + testing.left_out(HOME, ["PERSON"])
    assert {(row["class"], row["because"]) for row in rows} == {
        ("country", "no class of ours: set aside"),
        ("organization", "no name in Presidio"),
        ("PIN", "no name in Presidio"),
    }
    assert testing.left_out(HOME, []) == [
        {"set": "synthetic", "class": "FIRSTNAME", "spans": 2, "because": "the other set has none"},
        {"set": "synthetic", "class": "PIN", "spans": 1, "because": "no name in Presidio"},
    ]


def test_what_is_set_aside_is_neither_right_nor_wrong() -> None:
    detector = Everything()
    here, there = (
        testing.outcomes(testing.found(detector, one.texts), "presidio", one, ["PERSON"]) for one in (HOME, AWAY)
    )
    # joined with nothing between them but blanks: at home one span of three words, and one of two
    assert measured([here], "strict_precision", draws=1).value == 0
    assert measured([here], "character_recall", draws=1).value == 1
    # away: Ann is right; France is set aside; Acme, which has no common name, is a wrong PERSON
    assert there.spans[0, 0, 0].tolist() == [1, 0, 0, 0, 1]
    # but it is labelled, so masking it is no mistake
    assert measured([there], "character_precision", draws=1).value == 1


def test_own_classes_are_not_joined() -> None:
    spans = [tuple(one.spans) for one in HOME.filled]
    assert measured([testing.own_outcomes(spans, HOME)], "strict_f1", draws=1).value == 1
    wrong = [tuple(span._replace(label="LASTNAME") for span in one) for one in spans]
    found = testing.own_outcomes(wrong, HOME)
    assert measured([found], "strict_f1", draws=1).value == 0
    assert measured([found], "exact_f1", draws=1).value == pytest.approx(1)
