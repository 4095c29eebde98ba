"""Votes: users against a loop, sensitivity by property, and the noise against both of its distributions."""

from collections import Counter
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, norm
from support.errors import refused

from lib.methods.private_evolution import voting
from lib.methods.private_evolution.voting import VOTE, ballot, noisy_votes, sensitivity, vote


def root(square: Fraction) -> int:
    """The square root of a fraction, rounded down, by search: no float, and no root of a library."""
    low, high = 0, 1
    while high**2 <= square:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**2 <= square else (low, middle)
    return low


def slow_vote(private, candidates, private_cells, candidate_cells, k_nn, owners=None, weights="equal") -> np.ndarray:
    """One record and one user at a time, in exact integers: what is above the bound is rounded down, once a weight."""
    bound = k_nn * VOTE**2
    squares = [Fraction(1, 4**place if weights == "halving" else 1) for place in range(k_nn)]
    steps = [root(bound * square / sum(squares)) for square in squares]
    users: dict[int, Counter] = {}
    for i, cell in enumerate(private_cells):
        members = [j for j, other in enumerate(candidate_cells) if other == cell >= 0]
        away = {j: float(((private[i].astype(float) - candidates[j].astype(float)) ** 2).sum()) for j in members}
        near = sorted(members, key=lambda j: (away[j], j))[:k_nn]
        users.setdefault(i if owners is None else int(owners[i]), Counter()).update(
            dict(zip(near, steps, strict=False))
        )
    histogram = np.zeros(len(candidates), np.int64)
    for votes in users.values():
        norm = sum(count**2 for count in votes.values())
        for j, count in votes.items():
            histogram[j] += count if norm <= bound else root(Fraction(count**2 * bound, norm))
    return histogram


def election(rng: np.random.Generator, n: int, m: int, cells: int, users: int) -> dict[str, np.ndarray]:
    return {
        "private": rng.integers(-2, 3, (n, 3)).astype(np.float32),
        "candidates": rng.integers(-2, 3, (m, 3)).astype(np.float32),
        "private_cells": rng.integers(-1, cells, n),
        "candidate_cells": rng.integers(-1, cells, m),
        "owners": rng.integers(0, users, n) * 10**12,  # any numbers will do
    }


@pytest.mark.parametrize("weights", ["equal", "halving"])
@pytest.mark.parametrize("k_nn", [1, 3, 30])
def test_votes_are_those_of_a_loop(k_nn: int, weights: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        held = election(rng, n=60, m=15, cells=int(rng.integers(1, 5)), users=8) | {"k_nn": k_nn, "weights": weights}
        by_user = vote(**held)
        assert by_user.dtype == np.int64 and by_user.shape == (15,)
        np.testing.assert_array_equal(by_user, slow_vote(**held))
        by_record = vote(**held | {"owners": None})
        np.testing.assert_array_equal(by_record, slow_vote(**held | {"owners": None}))


def test_a_ballot_halves_from_one_candidate_to_the_next_and_uses_the_whole_bound() -> None:
    assert ballot(5).tolist() == [VOTE] * 5
    assert ballot(1, "halving").tolist() == ballot(1).tolist() == [VOTE]
    for k_nn in (2, 7, 40, 1000):
        steps = ballot(k_nn, "halving")
        np.testing.assert_allclose(steps[: min(k_nn, 12)] / steps[0], 0.5 ** np.arange(min(k_nn, 12)), rtol=1e-2)
        assert (1 - 1e-5) * k_nn * VOTE**2 < sum(int(step) ** 2 for step in steps) <= k_nn * VOTE**2


def test_cells_keep_to_themselves() -> None:
    line = np.arange(6, dtype=np.float32)[:, None]
    where = {"private_cells": np.array([0, 0, 1, 2, -1, 1]), "candidate_cells": np.array([1, 1, 1, 0, -1, 3])}
    clean = vote(line, line, **where, k_nn=2) // VOTE
    # cell 0 has one candidate for two records; cell 2 has none; -1 neither votes nor is voted for
    assert clean.tolist() == [0, 2, 2, 2, 0, 0]
    assert vote(line, line, private_cells=np.full(6, -1), candidate_cells=np.zeros(6, int), k_nn=1).sum() == 0
    owners = np.zeros(6, int)
    assert (
        vote(line, line, private_cells=np.full(6, 4), candidate_cells=np.zeros(6, int), k_nn=1, owners=owners).sum()
        == 0
    )


def moved(seed: int, k_nn: int, users: int, unit: bool, weights: str) -> int:
    """The squared L2 distance of the votes of a random corpus and of a neighbour, in exact integers."""
    rng = np.random.default_rng(seed)
    held = election(
        rng, n=int(rng.integers(1, 80)), m=int(rng.integers(1, 20)), cells=int(rng.integers(1, 4)), users=users
    )
    if unit:
        gone = held["owners"] == rng.choice(held["owners"])
    else:
        held["owners"], gone = None, np.arange(len(held["private"])) == rng.integers(len(held["private"]))
    neighbour = {
        name: value[~gone] if name in ("private", "private_cells", "owners") and value is not None else value
        for name, value in held.items()
    }
    difference = vote(**held, k_nn=k_nn, weights=weights) - vote(**neighbour, k_nn=k_nn, weights=weights)
    assert difference.min() >= 0
    return sum(int(d) ** 2 for d in difference)


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    k_nn=st.integers(1, 7),
    users=st.integers(1, 12),
    unit=st.booleans(),
    weights=st.sampled_from(["equal", "halving"]),
)
def test_one_unit_more_or_less_moves_the_votes_by_no_more_than_the_sensitivity(
    seed, k_nn, users, unit, weights
) -> None:
    assert moved(seed, k_nn, users, unit, weights) <= k_nn * VOTE**2


def test_weights_that_are_not_normalised_exceed_the_sensitivity(monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control of the property: 1, 1/2, 1/4, ... times the bound itself have a longer L2 norm."""
    monkeypatch.setattr(voting, "ballot", lambda k, weights: (VOTE * k**0.5 * 0.5 ** np.arange(k)).astype(np.int64))
    assert max(moved(seed, 4, 5, False, "halving") for seed in range(20)) > 4 * VOTE**2


def test_a_user_s_votes_reach_the_bound_and_a_light_user_is_not_scaled_up() -> None:
    candidate = np.zeros((1, 2), np.float32)
    cell = {"candidate_cells": np.zeros(1, int), "k_nn": 4}
    for records in (1, 2, 3, 1000):
        private = np.repeat(candidate, records, axis=0)
        of_one_user = {"private_cells": np.zeros(records, int), "owners": np.zeros(records, int)}
        (votes,) = vote(private, candidate, **of_one_user, **cell)
        assert votes == VOTE * min(records, 2)
    assert sensitivity(4) == 2 * VOTE and sensitivity(1) == VOTE == 2**20


@pytest.mark.parametrize(
    ("change", "code", "value"),
    [
        ({"k_nn": 0}, "methods.k_nn_too_small", 0),
        ({"weights": "thirds"}, "methods.unknown_weights", "thirds"),
        ({"private_cells": np.zeros(3, int)}, "methods.column_does_not_fit", (3,)),
        ({"candidate_cells": np.zeros(2)}, "methods.column_does_not_fit", (2,)),
        ({"owners": np.zeros((4, 1), int)}, "methods.column_does_not_fit", (4, 1)),
        ({"candidates": np.zeros((2, 5), np.float32)}, "methods.vector_shapes", (2, 5)),
    ],
)
def test_votes_that_cannot_be_held(change: dict, code: str, value: object) -> None:
    arguments = {
        "private": np.zeros((4, 3), np.float32),
        "candidates": np.zeros((2, 3), np.float32),
        "private_cells": np.zeros(4, int),
        "candidate_cells": np.zeros(2, int),
        "k_nn": 1,
    }
    with refused(code, name=next(iter(change)).replace("weights", "vote_weights"), value=value):
        vote(**arguments | change)


# --- noise


@pytest.mark.parametrize("seed", [None, 11])
def test_noise_on_votes_is_normal_with_the_multiplier_times_the_sensitivity(seed: int | None) -> None:
    """With a million steps to a vote a test cannot tell the discrete Gaussian from the normal distribution."""
    settings = {"noise_multiplier": 2.5, "sensitivity": 2**20 * 3**0.5, "privacy_seed": seed}
    draws = noisy_votes([7 * 2**20] * 3000, **settings, iteration=0)
    assert all(isinstance(draw, int) for draw in draws)
    noise = (np.array(draws) - 7 * 2**20) / (2.5 * 2**20 * 3**0.5)
    assert kstest(noise, "norm").pvalue > 1e-6
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 5 / np.sqrt(3000)


def test_votes_of_each_iteration_have_noise_of_their_own() -> None:
    draw = partial(noisy_votes, [0] * 20, noise_multiplier=1.0, sensitivity=2.0**20)
    assert draw(privacy_seed=3, iteration=1) == draw(privacy_seed=3, iteration=1)
    draws = [(3, 1), (3, 2), (4, 1), (None, 1), (None, 1)]
    assert len({tuple(draw(privacy_seed=seed, iteration=number)) for seed, number in draws}) == 5


def test_votes_on_a_coarse_grid_are_refused() -> None:
    """The continuous accountant holds on a fine grid only."""
    with refused("methods.grid_too_coarse"):
        noisy_votes([1], noise_multiplier=1.0, sensitivity=1.0, privacy_seed=None, iteration=0)


@pytest.mark.parametrize("scale", [50.0, 300.0])
def test_the_rounded_normal_is_as_near_to_the_discrete_gaussian_as_is_claimed(scale: float) -> None:
    """The bound of `noisy_votes`, |log ratio| <= x^2 / (24 s^4) or 1 / (24 s^2), against both distributions."""
    x = np.arange(-int(6 * scale), int(6 * scale) + 1)
    log_rounded = np.log(norm.cdf((x + 0.5) / scale) - norm.cdf((x - 0.5) / scale))
    inside = log_rounded > np.log(1e-8)  # beyond, the difference of two float64 probabilities is noise
    everywhere = np.arange(-int(40 * scale), int(40 * scale) + 1, dtype=float)
    log_discrete = -(x**2) / (2 * scale**2) - np.log(np.exp(-(everywhere**2) / (2 * scale**2)).sum())
    away = np.abs(log_rounded - log_discrete)[inside]
    reach = np.abs(x[inside]).max() / scale
    assert away.max() <= reach**2 / (24 * scale**2) * 1.01 + 1e-8
    assert away.max() > 0.5 * reach**2 / (24 * scale**2)  # and the bound is not too wide


def test_counts_may_be_larger_than_32_bits() -> None:
    votes = [0, 4096, 2_000_000]
    steps = 2**20
    noisy = noisy_votes(
        [count * steps for count in votes], noise_multiplier=1.0, sensitivity=steps, privacy_seed=None, iteration=0
    )
    assert all(abs(value / steps - count) < 12 for value, count in zip(noisy, votes, strict=True))
