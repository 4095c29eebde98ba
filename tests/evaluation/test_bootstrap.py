"""Bootstrap intervals of a mean loss: what they hold, how often, and how much memory they take."""

import tracemalloc

import numpy as np

from lib.evaluation import bootstrap


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
