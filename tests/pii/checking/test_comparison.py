"""A set in numbers: what is counted is what is there, and no text is among it."""

import json

import pytest
from support.pii_sets import examples
from support.pii_tokenizers import word_piece

from lib.pii.checking import comparison, sets
from lib.pii.spans import Filled, Span


def made(count: int) -> sets.LabelledSet:
    texts = examples(count)
    return sets.labelled_set("toy", [one.filled for one in texts], [one.id for one in texts], "doppel")


def test_counts_of_a_set() -> None:
    facts = comparison.facts(made(12), word_piece(uncased=True))
    assert facts.spans.tolist() == [3, 2, 3, 0, 3, 3] * 2
    assert facts.classes == {
        "PERSON": 14, "EMAIL_ADDRESS": 2, "LOCATION": 6, "PHONE_NUMBER": 2, "DATE_TIME": 2, "CREDIT_CARD": 2
    }  # fmt: skip
    assert sum(facts.shares.values()) == pytest.approx(1) and facts.alignment.texts == 12
    (row,) = comparison.sizes({"toy": facts})
    assert row["texts"] == 12 and row["texts without a span"] == pytest.approx(1 / 6)
    (row,) = comparison.faults({"toy": facts})
    assert not any(row[kind] for kind in ("outside", "value", "order", "overlap", "unresolved"))
    shown = json.dumps([comparison.sizes({"toy": facts}), comparison.faults({"toy": facts})])
    assert not any(span.value in shown for one in made(12).filled for span in one.spans if span.label == "EMAIL")


def test_faults_and_tokens_across_borders_are_counted() -> None:
    text = "Guadalajara [EMAIL]"
    filled = Filled(text, (Span(0, 6, "CITY", "Guadal"), Span(2, 4, "CITY", "xx")))
    labelled = sets.labelled_set("bad", [filled], ["a"], "doppel")
    facts = comparison.facts(labelled, word_piece(uncased=True))
    assert facts.problems == {"value": 1, "overlap": 1, "unresolved": 1}
    assert facts.spans.tolist() == [1]


def test_distance_of_classes() -> None:
    names = ("FIRSTNAME", "FIRSTNAME", "CITY", "PASSWORD")
    spans = tuple(Span(place, place + 1, name, "a") for place, name in enumerate(names))
    one, other, third = (
        comparison.facts(sets.labelled_set("s", [Filled("aaaa", some)], ["a"], "doppel"), word_piece(uncased=True))
        for some in (spans, spans[:2], spans[2:])
    )
    assert comparison.distance(one, one) == 0
    assert comparison.distance(one, other) == pytest.approx(0.5)
    assert comparison.distance(other, third) == pytest.approx(1)
    assert one.classes[comparison.UNNAMED] == 1
