"""Ranks are fixed by seed, purpose and name, spread evenly, and independent of each other's purposes."""

import numpy as np
from scipy.stats import kstest

from lib.data.hash_order import rank

NAMES = [f"record {i}" for i in range(2000)]


def shares(seed: int, purpose: str) -> np.ndarray:
    return np.array([rank(seed, purpose, name) for name in NAMES]) / 2**64


def test_a_rank_never_changes() -> None:
    """What was split once is split in the same way by every later version."""
    assert rank(0, "split", "record 0") == 8479864098710310601
    assert rank(0, "split", "\ud800") != rank(0, "split", "\ud801")  # half a character of a broken file


def test_ranks_are_spread_evenly_and_two_draws_are_independent() -> None:
    first, second, third = shares(0, "share"), shares(0, "split"), shares(1, "share")
    assert all(kstest(drawn, "uniform").pvalue > 0.001 for drawn in (first, second, third))
    assert abs(np.corrcoef([first, second, third])[np.triu_indices(3, 1)]).max() < 0.08


def test_where_one_part_ends_and_the_next_begins_counts() -> None:
    assert len({rank(1, "a", "b"), rank(1, "ab", ""), rank(1, "", "ab"), rank(11, "a", "b")}) == 4
