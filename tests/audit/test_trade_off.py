"""Bounds by a mechanism's own trade-off curve: the curve against exact ones, coverage, and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from dp_accounting import get_epsilon_gaussian
from scipy.optimize import brentq
from scipy.stats import binom, norm
from support.errors import refused

from lib.audit import ideal_attack, trade_off
from lib.audit.trade_off import RateBound, best_bound, curve, lower_bound, upper_limit
from lib.privacy.accounting import Gaussian, epsilon

DELTA = 1e-5
RATES = np.array([1e-4, 1e-3, 0.01, 0.1, 0.3, 0.6, 0.95])


@pytest.mark.parametrize("mechanism", [Gaussian(1.0), Gaussian(2.0, 1.0, 4), Gaussian(0.5)])
def test_without_sampling_the_curve_is_gaussian_and_never_above_it(mechanism: Gaussian) -> None:
    mu = math.sqrt(mechanism.count) / mechanism.noise_multiplier
    exact = norm.cdf(norm.ppf(1 - RATES) - mu)  # Dong, Roth & Su 2022
    found = np.array([curve(mechanism, rate) for rate in RATES])
    assert (found <= exact + 1e-12).all()
    assert found == pytest.approx(exact, rel=0.03, abs=2e-4)


@pytest.mark.parametrize(("noise", "q"), [(0.5, 0.05), (0.8, 0.3)])
def test_with_sampling_the_curve_is_that_of_the_likelihood_ratio_test(noise: float, q: float) -> None:
    """A single release: the ratio grows with the release, so the best test is a threshold on it."""
    thresholds = norm.isf(RATES) * noise
    exact = (1 - q) * norm.cdf(thresholds / noise) + q * norm.cdf((thresholds - 1) / noise)
    found = np.array([curve(Gaussian(noise, q), rate) for rate in RATES])
    assert (found <= exact + 1e-12).all()
    assert found[:4] == pytest.approx(exact[:4], rel=0.03)  # further on the worse of both directions is taken


def test_more_noise_lifts_the_curve_and_lowers_epsilon() -> None:
    mechanisms = [Gaussian(noise, 0.1, 5) for noise in (0.5, 0.7, 1.0, 2.0)]
    curves = np.array([[curve(mechanism, rate) for rate in RATES] for mechanism in mechanisms])
    assert (np.diff(curves, axis=0) >= 0).all() and (curves[-1] > curves[0]).all()
    epsilons = [mechanism.epsilon_at_least(DELTA) for mechanism in mechanisms]
    assert epsilons == sorted(epsilons, reverse=True)


@pytest.mark.parametrize("mechanism", [Gaussian(1.0), Gaussian(0.453685, 144 / 3114, 6), Gaussian(1.2, 0.2, 30)])
def test_the_stated_epsilon_is_below_the_accountants_and_near_it(mechanism: Gaussian) -> None:
    least, most = mechanism.epsilon_at_least(DELTA), epsilon([mechanism], delta=DELTA)
    assert least <= most <= least * 1.01
    if mechanism.sampling_probability == 1:
        assert least <= get_epsilon_gaussian(mechanism.noise_multiplier, DELTA)


def test_upper_limits_are_clopper_and_pearsons() -> None:
    assert binom.cdf(7, 50, upper_limit(7, 50, 0.01)) == pytest.approx(0.01)
    assert upper_limit(0, 50, 0.01) == pytest.approx(1 - 0.01 ** (1 / 50)) and upper_limit(50, 50, 0.01) == 1


def test_the_bound_is_the_largest_epsilon_whose_curve_is_above_the_rates() -> None:
    mechanism, counts = Gaussian(1.0), [(0.5, 60, 80)]
    bound = best_bound(counts, 500, 500, mechanism=mechanism, delta=DELTA, beta=0.05)
    assert bound == RateBound(bound.epsilon, 0.5, 60, 500, 80, 500)
    rates = upper_limit(60, 500, 0.025), upper_limit(80, 500, 0.025)
    exact = brentq(lambda noise: norm.cdf(norm.ppf(1 - rates[0]) - 1 / noise) - rates[1], 0.2, 5)
    assert bound.epsilon <= get_epsilon_gaussian(exact, DELTA)
    assert bound.epsilon == pytest.approx(get_epsilon_gaussian(exact, DELTA), rel=0.03)


def test_rates_of_a_coin_prove_nothing_and_perfect_ones_much() -> None:
    coin = best_bound([(0.0, 250, 250)], 500, 500, mechanism=Gaussian(1.0), delta=DELTA, beta=0.05)
    perfect = best_bound([(0.0, 0, 0)], 500, 500, mechanism=Gaussian(1.0), delta=DELTA, beta=0.05)
    assert coin.epsilon == 0 and perfect.epsilon > 10


SMALL = (Gaussian(1.0), Gaussian(0.6, 0.5, 2))


@pytest.mark.parametrize("mechanism", SMALL)
def test_bounds_cover_the_true_epsilon(mechanism: Gaussian) -> None:
    """200 audits of 400 canaries: the bound may be above the truth in 5%; and it is no empty promise."""
    rng, inside = np.random.default_rng(1), np.arange(400) < 200
    thresholds, truth = ideal_attack.plan(mechanism).thresholds, mechanism.epsilon_at_least(DELTA)
    given = {"thresholds": thresholds, "mechanism": mechanism, "delta": DELTA}
    bounds = [lower_bound(mechanism.ideal_scores(inside, rng), inside, **given).epsilon for _ in range(200)]
    assert sum(bound > truth for bound in bounds) <= binom.ppf(0.99, 200, 0.05)
    assert np.median(bounds) > truth / 3


@pytest.mark.parametrize("mechanism", SMALL)
def test_less_noise_than_is_claimed_is_not_covered(mechanism: Gaussian) -> None:
    """The positive control of the test above."""
    rng, inside = np.random.default_rng(1), np.arange(400) < 200
    louder = replace(mechanism, noise_multiplier=mechanism.noise_multiplier / 2)
    total = np.zeros(400)
    for _ in range(mechanism.count):
        joined = inside & (rng.random(400) < mechanism.sampling_probability)
        seen = rng.normal(0, louder.noise_multiplier, 400) + joined
        total += mechanism.log_likelihood_ratio(seen)
    bound = lower_bound(
        total, inside, thresholds=ideal_attack.plan(mechanism).thresholds, mechanism=mechanism, delta=DELTA
    )
    assert bound.epsilon > epsilon([mechanism], delta=DELTA)


def test_each_threshold_weakens_the_others() -> None:
    """Bonferroni: the same counts at a threshold of three prove less than at a threshold alone."""
    alone, three = (
        best_bound([(0.5, 60, 80)] * number, 500, 500, mechanism=Gaussian(1.0), delta=DELTA, beta=0.05)
        for number in (1, 3)
    )
    assert three.epsilon < alone.epsilon


def test_a_bound_needs_thresholds_and_both_kinds_of_canaries() -> None:
    given = {"mechanism": Gaussian(1.0), "delta": DELTA}
    with refused("audit.no_threshold", name="thresholds", value=0):
        lower_bound(np.zeros(4), np.arange(4) < 2, thresholds=[], **given)
    with refused("audit.coins_all_equal", name="included"):
        lower_bound(np.zeros(4), np.ones(4, bool), thresholds=[0.0], **given)


def test_what_is_searched_is_what_the_docstring_says() -> None:
    assert pytest.approx(0.4, abs=0.02) == trade_off.RATIO**trade_off.LEAST
    assert pytest.approx(33, abs=1) == trade_off.RATIO**trade_off.MOST
