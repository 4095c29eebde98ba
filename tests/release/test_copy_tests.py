"""The tests for copying: against an oracle, at their level, and with the power that their docstring claims."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from lib.release import copy_tests


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_exceedance_test_agrees_with_counting_all_arrangements(rank):
    n, m = 5, 4
    arrangements = [set(places) for places in combinations(range(n + m), m)]  # where the baseline stands, from the top

    def above(places: set[int]) -> int:
        """The number of values above the rank-th largest of the baseline."""
        return sorted(places)[rank - 1] - (rank - 1)

    for wanted in range(1, n + 1):
        exact = np.mean([above(places) >= wanted for places in arrangements])
        places = next(places for places in arrangements if above(places) == wanted)
        ranks = np.arange(n + m)[::-1]  # the largest value first
        values, baseline = ([ranks[i] for i in range(n + m) if (i in places) == side] for side in (False, True))
        excess = copy_tests.exceedance(np.array(values), np.array(baseline), rank)
        assert (excess.count, excess.of, excess.held_out, excess.held_out_of) == (wanted, n, rank - 1, m)
        assert excess.p == pytest.approx(exact)


def test_ties_and_nothing_above_are_no_excess():
    assert copy_tests.exceedance(np.full(30, 7), np.full(30, 7), 1).p == 1.0
    assert copy_tests.exceedance(np.arange(30), np.arange(30), 1).count == 0


@pytest.mark.parametrize("rank", [1, 4])
def test_texts_like_fresh_records_are_refused_no_more_often_than_the_level(rank):
    rng = np.random.default_rng(3)
    rejected = [
        copy_tests.exceedance(rng.geometric(0.4, 300), rng.geometric(0.4, 324), rank).p <= copy_tests.LEVEL / 3
        for _ in range(4000)
    ]
    assert np.mean(rejected) <= copy_tests.LEVEL / 3 + 0.003


@pytest.mark.parametrize(("copies", "significant"), [(8, True), (7, False)])
def test_eight_copies_of_three_hundred_are_enough(copies, significant):
    runs = np.where(np.arange(300) < copies, 9, 3)
    assert copy_tests.exceedance(runs, np.full(324, 7), 1).significant is significant


def test_the_level_is_shared_by_the_three_tests():
    assert [copy_tests.Excess("", 1, 1, 1, 1, p).significant for p in (0.0033, 0.0034)] == [True, False]
    rng = np.random.default_rng(5)
    texts = [" ".join(f"w{word}" for word in rng.integers(0, 5000, 12)) for _ in range(600)]
    assert len(copy_tests.excesses(texts[:200], texts[200:400], texts[400:])) == 3


def test_one_unusual_held_out_record_does_not_hide_copies():
    runs, held_out = np.where(np.arange(300) < 20, 12, 3), np.where(np.arange(324) == 5, 60, 5)
    assert not copy_tests.exceedance(runs, held_out, 1).significant
    assert copy_tests.exceedance(runs, held_out, 1 + 324 // 100).significant


def test_near_copies_agree_with_fishers_exact_test():
    rng = np.random.default_rng(1)
    texts = [" ".join(f"w{word}" for word in rng.integers(0, 5000, 12)) for _ in range(120)]
    train, held_out, synthetic = texts[:60], texts[60:90], texts[90:]
    edited = [text.replace(text.split()[5], "other") for text in train[:9]]
    held_out = [*held_out[:28], *(f"{text} more" for text in train[58:])]
    excess = copy_tests.near_copies([*edited, *synthetic[9:]], train, held_out)
    assert (excess.count, excess.of, excess.held_out, excess.held_out_of) == (9, 30, 2, 30)
    assert excess.p == pytest.approx(fisher_exact([[9, 21], [2, 28]], alternative="greater").pvalue)


def test_both_sides_are_compared_with_train():
    rng = np.random.default_rng(2)
    texts = [" ".join(f"w{word}" for word in rng.integers(0, 5000, 12)) for _ in range(90)]
    train, held_out, synthetic = texts[:30], texts[30:60], texts[60:]
    assert not any(excess.significant for excess in copy_tests.excesses(synthetic, train, held_out))
    # half of the words of each text are copied: the two texts share a quarter of their triples
    halves = [" ".join([*text.split()[:6], *other.split()[6:]]) for text, other in zip(train, synthetic, strict=True)]
    run, _, near = copy_tests.excesses([*halves[:10], *synthetic[10:]], train, held_out)
    assert run.significant and not near.significant
    assert not any(
        excess.significant for excess in copy_tests.excesses([*held_out[:10], *synthetic[10:]], train, held_out)
    )
