"""Labels: cells of the declared domain, counts to which a unit adds one, and draws."""

from collections import Counter

import numpy as np
import pytest
from support.errors import refused

from lib.data import labels
from lib.data.private_text import PrivateText
from lib.data.records import Record

DOMAIN = {"mood": ["bad", "good"], "stars": ["1", "2", "3"], "product": "catalogue"}


def record(name: str, mood: str, stars: str, user: str | None = None) -> Record:
    return Record(name, PrivateText("x"), {"mood": mood, "stars": stars, "product": "any"}, user)


def test_cells_are_the_product_of_the_listed_labels():
    table = labels.cells(DOMAIN)
    assert len(table) == 6 and table[0] == {"mood": "bad", "stars": "1"}
    assert labels.cells({}) == [{}]


@pytest.mark.parametrize(
    ("domain", "code", "value"),
    [
        ({"a": []}, "data.domain_values", "a"),
        ({"a": ["x", "x"]}, "data.domain_values", "a"),
        ({"a": ["1", "2", "1.0"]}, "data.domain_values", "a"),
        ({"b": ["x"], "a": "xyz"}, "data.domain_values", "a"),
        ({"a": [str(i) for i in range(100_001)]}, "data.domain_too_large", 100_001),
        ({"a": [str(i) for i in range(400)], "b": [str(i) for i in range(251)]}, "data.domain_too_large", 100_400),
    ],
)
def test_a_domain_that_cannot_be_counted_is_refused(domain, code, value):
    with refused(code, name="label_domain", value=value):
        labels.cells(domain)


@pytest.mark.parametrize("unit", ["record", "user"])
def test_adding_a_unit_changes_one_count_by_one(unit):
    draw = np.random.default_rng(0)
    rows = [
        record(f"r{i:03}", draw.choice(["bad", "good"]), draw.choice(["1", "2", "3"]), f"u{i % 20}") for i in range(120)
    ]
    whole = np.array(labels.clean_counts(rows, DOMAIN, unit=unit))
    assert whole.sum() == (120 if unit == "record" else 20)
    for gone in range(20):
        left = [r for r in rows if (r.owner != f"u{gone}" if unit == "user" else r is not rows[gone])]
        change = whole - labels.clean_counts(left, DOMAIN, unit=unit)
        assert np.abs(change).sum() == 1


def test_topics_are_one_more_label_of_the_declared_domain():
    assert (
        labels.declared({"label_domain": DOMAIN}) == labels.declared({"label_domain": DOMAIN, "topics": None}) == DOMAIN
    )
    domain = labels.declared({"label_domain": DOMAIN, "topics": 4})
    assert (
        len(labels.cells(domain)) == 4 * 6
        and len(labels.cells(labels.declared({"label_domain": {}, "topics": 4}))) == 4
    )
    with refused("data.topic_taken", name="topics", value=4):
        labels.declared({"label_domain": {"topic": ["a", "b"]}, "topics": 4})


def test_each_record_has_the_number_of_its_cell():
    rows = [record("a", "good", "3"), record("b", "bad", "1"), record("c", "good", "3")]
    assert labels.cell_numbers(rows, labels.cells(DOMAIN)).tolist() == [5, 0, 5]
    assert labels.cell_numbers(rows, labels.cells({})).tolist() == [0, 0, 0]


def test_shares_of_noisy_counts():
    assert labels.probabilities([30, -5, 10]).tolist() == [0.75, 0, 0.25]
    assert labels.probabilities([-1, -2]).tolist() == [0.5, 0.5]


def test_the_counts_of_one_label_are_sums_over_the_others():
    table = labels.cells({"mood": ["bad", "good"], "stars": ["1", "2"]})
    histogram = {"cells": table, "noisy_counts": [5, -2, 7, 1]}
    assert labels.totals(histogram, "mood") == {"bad": 3, "good": 8}
    assert labels.totals(histogram, "stars") == {"1": 12, "2": -1}


def test_draws_follow_the_noisy_shares_and_take_rows_of_the_catalogue_whole():
    histogram = {"cells": [{"mood": "bad"}, {"mood": "good"}], "noisy_counts": [300, 100]}
    catalogue = [{"product": "case", "category": "a"}, {"product": "cable", "category": "b"}]
    drawn = labels.draw(histogram, catalogue, 4000, np.random.default_rng(0))
    assert abs(Counter(row["mood"] for row in drawn)["bad"] / 4000 - 0.75) < 5 * (0.75 * 0.25 / 4000) ** 0.5
    assert {(row["product"], row["category"]) for row in drawn} == {("case", "a"), ("cable", "b")}


def test_a_complete_label_set_has_the_labels_of_a_record() -> None:
    listed, rows = [{"mood": "good"}, {"mood": "bad"}], [{"product": "a"}, {"product": "b"}]
    assert labels.whole_sets(listed, rows)[1] == {"mood": "good", "product": "b"}
    assert labels.whole_sets(listed, []) == listed and len(labels.whole_sets(listed, rows, most=1)) == 2
