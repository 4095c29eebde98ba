"""Labels: cells of the declared domain, counts of one a unit, draws; copies and intervals beside them."""

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from lib.audit import verbatim
from lib.common.errors import DoppelError
from lib.data import labels
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation import bootstrap

DOMAIN = {"mood": ["bad", "good"], "stars": ["1", "2", "3"], "product": "catalogue"}


def record(id: str, mood: str, stars: str, user: str | None = None) -> Record:
    return Record(id, PrivateText("x"), {"mood": mood, "stars": stars, "product": "any"}, user)


def test_cells_are_the_product_of_the_listed_labels():
    table = labels.cells(DOMAIN)
    assert len(table) == 6 and table[0] == {"mood": "bad", "stars": "1"}
    assert labels.cells({}) == [{}]


@pytest.mark.parametrize(
    "domain", [{"a": []}, {"a": ["x", "x"]}, {"a": "xyz"}, {"a": [str(i) for i in range(100_001)]}]
)
def test_a_domain_that_cannot_be_counted_is_refused(domain):
    with pytest.raises(DoppelError, match="label_domain"):
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


def test_each_record_has_the_number_of_its_cell():
    rows = [record("a", "good", "3"), record("b", "bad", "1"), record("c", "good", "3")]
    assert labels.cell_numbers(rows, labels.cells(DOMAIN)).tolist() == [5, 0, 5]
    assert labels.cell_numbers(rows, labels.cells({})).tolist() == [0, 0, 0]


def test_shares_of_noisy_counts():
    assert labels.probabilities([30, -5, 10]).tolist() == [0.75, 0, 0.25]
    assert labels.probabilities([-1, -2]).tolist() == [0.5, 0.5]


def test_draws_follow_the_noisy_shares_and_take_rows_of_the_catalogue_whole():
    histogram = {"cells": [{"mood": "bad"}, {"mood": "good"}], "noisy_counts": [300, 100]}
    catalogue = [{"product": "case", "category": "a"}, {"product": "cable", "category": "b"}]
    drawn = labels.draw(histogram, catalogue, 4000, np.random.default_rng(0))
    assert abs(Counter(one["mood"] for one in drawn)["bad"] / 4000 - 0.75) < 5 * (0.75 * 0.25 / 4000) ** 0.5
    assert {(one["product"], one["category"]) for one in drawn} == {("case", "a"), ("cable", "b")}


def test_a_verbatim_sentence_is_found_whatever_its_case_and_signs():
    real = ["Nice. The battery of this camera lasts for two whole days!", "it is too short"]
    synthetic = [
        "I think the battery of THIS camera lasts for two whole days, really.",
        "The battery of this camera lasts for two days.",
        "it is too short",
    ]
    assert verbatim.verbatim(synthetic, real) == 1
    assert verbatim.verbatim(synthetic, real, min_words=4) == 2


def test_intervals_hold_the_value_and_shrink_with_n():
    draw = np.random.default_rng(0)
    few, many = (np.stack([draw.gamma(9, 3, n), np.full(n, 9.0)], axis=1) for n in (40, 4000))
    widths = []
    for losses in (few, many):
        value, low, high = bootstrap.mean_loss(losses)
        assert low < value < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 5


def test_intervals_of_many_records_are_drawn_in_parts(monkeypatch):
    draw = np.random.default_rng(0)
    losses = np.stack([draw.gamma(9, 3, 41), np.full(41, 9.0)], axis=1)
    whole = bootstrap.mean_loss(losses, draws=301)
    monkeypatch.setattr(bootstrap, "CELLS", 1000)
    assert bootstrap.mean_loss(losses, draws=301) == whole
    monkeypatch.setattr(bootstrap, "CELLS", 1_000_000)
    tracemalloc.start()
    bootstrap.mean_loss(np.tile(losses, (1000, 1)), draws=300)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # all at once: 300 draws of 41,000 records, 300 MB


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    hits = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        losses = np.stack([draw.normal(3, 1, 60), np.ones(60)], axis=1)
        _, low, high = bootstrap.mean_loss(losses, seed=seed, draws=400)
        hits += low <= 3 <= high
    assert 178 <= hits <= 199  # 95% of 200, four standard deviations below
