"""Quotas by largest remainders, and selection by rank and by draw."""

import itertools

import numpy as np
import pytest
from support.errors import refused

from lib.data.near_duplicates import shingles
from lib.methods.private_evolution.selection import quotas, select


def test_quotas_follow_the_shares_by_largest_remainders() -> None:
    assert quotas(np.array([0.5, 0.3, 0.2]), 10).tolist() == [5, 3, 2]
    assert quotas(np.array([0.4, 0.35, 0.25]), 2).tolist() == [1, 1, 0]
    assert quotas(np.full(4, 0.25), 2).tolist() == [1, 1, 0, 0]
    rng = np.random.default_rng(0)
    for samples in range(40):
        shares = rng.dirichlet(np.ones(5))
        whole = quotas(shares, samples)
        assert whole.sum() == samples and (np.abs(whole - shares * samples) < 1).all()


def test_rank_takes_the_most_voted_of_each_cell_and_begins_again_when_it_runs_out() -> None:
    noisy = np.array([1.0, 5.0, 3.0, -2.0, 9.0])
    cells = np.array([0, 0, 0, 1, 1])
    rng = np.random.default_rng(0)
    assert select(noisy, cells, [2, 1], threshold=0, how="rank", rng=rng).tolist() == [1, 2, 4]
    assert select(noisy, cells, [0, 5], threshold=0, how="rank", rng=rng).tolist() == [4, 3, 4, 3, 4]
    assert select(noisy, cells, [2, 1], threshold=100, how="rank", rng=rng).tolist() == [1, 2, 4]
    assert select(noisy, cells, [0, 0], threshold=0, how="rank", rng=rng).tolist() == []
    assert select(noisy, np.array([0, 0, 0, 0, 0]), [1, 4], threshold=0, how="rank", rng=rng).tolist() == [4]


TALK = (
    "the battery lasts for two days",
    "the battery lasts for two weeks",  # three of its four runs of three words are those of the first
    "the screen is bright and sharp",
    "the battery lasts for two days and nights",
    "nobody answered when i called them",
)


@pytest.mark.parametrize(
    ("max_overlap", "expected"),
    [(1.0, [0, 1, 3]), (0.75, [0, 1, 3]), (0.7, [0, 3, 2]), (0.5, [0, 2, 4]), (0.0, [0, 2, 4])],
)
def test_a_text_that_repeats_better_ones_is_passed_over(max_overlap: float, expected: list[int]) -> None:
    noisy = np.array([5.0, 4.0, 2.0, 3.0, 1.0])
    given = {"threshold": 0, "how": "rank", "rng": None, "texts": TALK, "max_overlap": max_overlap}
    assert select(noisy, np.zeros(5, int), [3], **given).tolist() == expected


def test_what_is_passed_over_fills_a_quota_and_cells_take_turns() -> None:
    noisy = np.array([5.0, 4.0, 2.0, 3.0, 1.0])
    given = {"threshold": 0, "how": "rank", "rng": None, "texts": TALK, "max_overlap": 0.5}
    assert select(noisy, np.zeros(5, int), [5], **given).tolist() == [0, 2, 4, 1, 3]
    assert select(noisy, np.zeros(5, int), [7], **given).tolist() == [0, 2, 4, 1, 3, 0, 2]
    # the first of both cells say the same: the phrase goes to the cell that comes first, each in its turn
    assert select(noisy, np.array([0, 1, 0, 1, 1]), [1, 1], **given).tolist() == [0, 4]
    assert select(noisy, np.array([0, 1, 0, 1, 1]), [2, 3], **given).tolist() == [0, 2, 4, 1, 3]


def test_no_two_selected_texts_share_more_than_the_overlap() -> None:
    """By a loop over random texts of few words, with enough of them in each cell; without the limit some do."""
    shares: dict[float, list[float]] = {0.4: [], 1.0: []}
    for seed in range(5):
        rng = np.random.default_rng(seed)
        texts = [" ".join(rng.choice(list("abcd"), 8)) for _ in range(400)]
        noisy, cells = rng.normal(0, 1, 400), rng.integers(0, 3, 400)
        for limit, found in shares.items():
            given = {"threshold": 0, "how": "rank", "rng": rng, "texts": texts, "max_overlap": limit}
            chosen = select(noisy, cells, [2, 3, 4], **given)
            assert np.bincount(cells[chosen], minlength=3).tolist() == [2, 3, 4]
            runs = [shingles(texts[i]) for i in chosen]
            found.append(max(len(a & b) / max(len(a), len(b)) for a, b in itertools.combinations(runs, 2)))
    assert max(shares[0.4]) <= 0.4 < max(shares[1.0])


def test_sample_draws_in_proportion_above_the_threshold() -> None:
    noisy = np.array([1.0, 4.0, 3.0, -2.0, 9.0])
    cells = np.array([0, 0, 0, 0, 1])
    rng = np.random.default_rng(0)
    drawn = select(noisy, cells, [30_000, 1], threshold=1.0, how="sample", rng=rng)
    shares = np.bincount(drawn, minlength=5)[:4] / 30_000
    np.testing.assert_allclose(shares, [0, 0.6, 0.4, 0], atol=0.01)
    below = select(noisy, cells, [30_000, 0], threshold=50.0, how="sample", rng=rng)
    np.testing.assert_allclose(np.bincount(below, minlength=4) / 30_000, [0.25] * 4, atol=0.01)


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"how": "prob"}, "methods.unknown_selection", "selection"),
        ({"threshold": -1.0}, "methods.negative_threshold", "threshold"),
        ({"threshold": np.nan}, "methods.negative_threshold", "threshold"),
    ],
)
def test_selection_refuses_what_it_does_not_know(change: dict, code: str, name: str) -> None:
    with refused(code, name=name) as error:
        select(np.ones(1), np.zeros(1), [1], **{"threshold": 0.0, "how": "rank", "rng": None} | change)
    assert error.value.value is next(iter(change.values()))
