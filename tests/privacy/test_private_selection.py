"""The price of the best of a random number of tries, against tries so small that every outcome can be listed."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent
from dp_accounting.dp_event import RepeatAndSelectDpEvent
from dp_accounting.rdp import RdpAccountant
from scipy.stats import norm
from support.errors import refused

from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate, epsilon
from lib.privacy.private_selection import epsilon_of_best, shift

DELTA = 1e-4
WITHIN = 1e-12  # rounding of the lists below
VALUES = np.arange(-60, 61)  # ten standard deviations, and more


def best(chances: np.ndarray, scores: np.ndarray, tries: float) -> np.ndarray:
    """Chances of what is released: the best of K results, K geometric with mean ``tries``, ties by a coin."""

    def none_better(at: float) -> float:  # E at^K
        return at / tries / (1 - (1 - 1 / tries) * at)

    released = np.zeros_like(chances)
    for score in np.unique(scores[chances > 0]):
        level = scores == score
        below, with_it = chances[scores < score].sum(), chances[scores <= score].sum()
        released[level] = chances[level] / chances[level].sum() * (none_better(with_it) - none_better(below))
    return released


def divergence(p: np.ndarray, q: np.ndarray, at: float) -> float:
    """The smallest delta at epsilon ``at``, in both directions."""
    return max(np.maximum(p - math.exp(at) * q, 0).sum(), np.maximum(q - math.exp(at) * p, 0).sum())


def counts(scale: float, clean: int) -> np.ndarray:
    """Chances of a count with discrete Gaussian noise, on `VALUES`."""
    weights = np.exp(-((VALUES - clean) ** 2) / (2 * scale**2))
    return weights / weights.sum()


SCORES = {
    "the value": VALUES,
    "its opposite": -VALUES,
    "near 3": -abs(VALUES - 3),
    "coarse": VALUES // 4,
    "any": np.random.default_rng(0).permutation(VALUES),
}


def test_the_list_of_what_is_released_is_that_of_all_sequences_of_tries() -> None:
    chances, scores, tries = np.array([0.1, 0.2, 0.3, 0.4]), np.array([2, 0, 1, 1]), 1.25
    listed = np.zeros(4)
    for k in range(1, 9):
        stops = (1 - 1 / tries) ** (k - 1) / tries
        for results in itertools.product(range(4), repeat=k):
            top = [one for one in results if scores[one] == max(scores[list(results)])]
            for one in top:
                listed[one] += stops * chances[list(results)].prod() / len(top)
    assert best(chances, scores, tries) == pytest.approx(listed, abs=(1 - 1 / tries) ** 8)
    assert best(chances, scores, tries).sum() == pytest.approx(1)


@pytest.mark.parametrize("tries", [1.0, 1.5, 4.0, 60.0])
@pytest.mark.parametrize("seed", range(10))
def test_no_pair_of_tries_exceeds_the_theorem_at_any_epsilon(seed: int, tries: float) -> None:
    draw = np.random.default_rng(seed)
    p, q = draw.dirichlet(np.full(9, 0.5), size=2)
    if seed % 2:  # near each other
        q = 0.9 * p + 0.1 * q
    scores = draw.integers(5, size=9)
    s = shift(lambda at: divergence(p, q, at), tries)
    for t in np.linspace(-3, 6, 60):
        spent = divergence(best(p, scores, tries), best(q, scores, tries), t + 2 * s)
        assert spent <= tries * divergence(p, q, t) + WITHIN


def test_the_theorem_is_tight_and_neither_of_its_factors_can_go() -> None:
    e, tries = 0.5, 1e5
    p = np.array([0.01, 1e-4 * math.exp(e), 0])  # the best result, the second, all else
    q = np.array([0.01 * math.exp(e), 1e-4, 0])
    p[2], q[2] = 1 - p.sum(), 1 - q.sum()
    scores = np.array([2, 1, 0])

    def of_tries(at: float) -> float:
        return divergence(p, q, at)

    def released(at: float) -> float:
        return divergence(best(p, scores, tries), best(q, scores, tries), at)

    s = shift(of_tries, tries)
    assert 0.98 * e < s <= e + 1e-9
    assert released(e + 2 * s) <= tries * of_tries(e) + WITHIN  # 3 epsilon
    assert released(e + 1.9 * s) > 1e3 * WITHIN > tries * of_tries(e)
    few = np.array([0.999, 0.001 - 1e-6, 1e-6])  # a result that betrays a unit, and has the best score
    safe = np.array([0.999, 0.001, 0])
    order, tries = np.array([0, 1, 2]), 5
    s = shift(lambda at: divergence(few, safe, at), tries)
    betrayed = divergence(best(few, order, tries), best(safe, order, tries), 2 + 2 * s)
    assert 4.9 * divergence(few, safe, 2) < betrayed <= 5 * divergence(few, safe, 2) + WITHIN


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("scale", "tries"), [(4.0, 2.0), (4.0, 16.0), (1.0, 8.0)])
def test_the_best_of_noisy_counts_is_within_its_price(score: str, scale: float, tries: float) -> None:
    p, q = (best(counts(scale, clean), SCORES[score], tries) for clean in (0, 1))
    price = epsilon_of_best([[DiscreteGaussian(scale)]], tries=tries, delta=DELTA)
    assert divergence(p, q, price) <= DELTA


@pytest.mark.parametrize(("scale", "tries"), [(4.0, 2.0), (4.0, 16.0), (1.0, 8.0)])
def test_a_single_try_costs_less_than_the_best_of_several(scale: float, tries: float) -> None:
    p, q = (best(counts(scale, clean), VALUES, tries) for clean in (0, 1))
    assert divergence(p, q, epsilon([DiscreteGaussian(scale)], delta=DELTA)) > 1.5 * DELTA


def test_what_is_drawn_once_is_in_the_price() -> None:
    tries, once = 8.0, DiscreteGaussian(2.0)
    released = [best(counts(4.0, clean), VALUES, tries) for clean in (0, 1)]
    p, q = (np.outer(counts(2.0, clean), picked) for clean, picked in enumerate(released))
    price = epsilon_of_best([[DiscreteGaussian(4.0)]], tries=tries, delta=DELTA, others=[once])
    assert divergence(p, q, price) <= DELTA
    assert divergence(p, q, epsilon_of_best([[DiscreteGaussian(4.0)]], tries=tries, delta=DELTA)) > DELTA


def test_tries_of_several_settings_have_the_price_of_the_dearest() -> None:
    scales, tries = (3.0, 6.0), 8.0
    scores = np.concatenate([VALUES, VALUES - 2])
    p, q = (best(np.concatenate([counts(scale, clean) / 2 for scale in scales]), scores, tries) for clean in (0, 1))
    settings = [[DiscreteGaussian(scale)] for scale in scales]
    price = epsilon_of_best(settings, tries=tries, delta=DELTA)
    assert divergence(p, q, price) <= DELTA
    assert price == epsilon_of_best(settings[:1], tries=tries, delta=DELTA)
    assert divergence(p, q, epsilon_of_best(settings[1:], tries=tries, delta=DELTA)) > DELTA


@pytest.mark.parametrize("above", [1, -1])
def test_sampled_training_is_within_its_price(above: int) -> None:
    noise, sampling, tries = 0.8, 0.2, 12.0
    edges = np.concatenate([[-np.inf], np.linspace(-6, 7, 1500), [np.inf]])
    without = np.diff(norm.cdf(edges / noise))
    with_one = (1 - sampling) * without + sampling * np.diff(norm.cdf((edges - 1) / noise))
    scores = above * np.arange(len(without))
    p, q = (best(chances, scores, tries) for chances in (with_one, without))
    price = epsilon_of_best([[Gaussian(noise, sampling)]], tries=tries, delta=DELTA)
    assert divergence(p, q, price) <= DELTA
    if above == 1:
        assert divergence(p, q, epsilon([Gaussian(noise, sampling)], delta=DELTA)) > DELTA


@pytest.mark.parametrize("noise", [1.0, 4.0])
@pytest.mark.parametrize("tries", [2.0, 16.0])
def test_it_is_below_the_renyi_bound_and_above_that_of_one(noise: float, tries: float) -> None:
    renyi = RdpAccountant().compose(RepeatAndSelectDpEvent(GaussianDpEvent(noise), tries, 1)).get_epsilon(DELTA)
    found = epsilon_of_best([[Gaussian(noise)]], tries=tries, delta=DELTA)
    assert epsilon([Gaussian(noise)], delta=DELTA) < found < renyi
    assert found < 3 * epsilon([Gaussian(noise)], delta=DELTA / tries)  # Liu & Talwar's 3 epsilon


def test_one_try_costs_what_it_spends_and_more_tries_cost_more() -> None:
    prices: Sequence[float] = [epsilon_of_best([[Gaussian(2.0)]], tries=tries, delta=DELTA) for tries in (1, 2, 8, 64)]
    assert prices[0] == pytest.approx(epsilon([Gaussian(2.0)], delta=DELTA), abs=1e-3)
    assert prices == sorted(set(prices))
    assert epsilon_of_best([[Gaussian(2.0)], [NonPrivate()]], tries=2, delta=DELTA) == math.inf


@pytest.mark.parametrize("tries", [0.5, 0.0, math.inf, math.nan])
def test_a_number_of_tries_that_is_none_is_refused(tries: float) -> None:
    with refused("privacy.tries_range", name="tries"):
        epsilon_of_best([[Gaussian(2.0)]], tries=tries, delta=DELTA)


def test_a_delta_that_is_none_is_refused() -> None:
    with refused("privacy.delta_range", name="delta", value=1.5):
        epsilon_of_best([[Gaussian(2.0)]], tries=4, delta=1.5)
