"""Bounds on epsilon from one run: each estimator against brute force, and coverage by simulation."""

import math
from itertools import combinations

import numpy as np
import pytest
from dp_accounting import get_epsilon_gaussian, get_sigma_gaussian
from dp_accounting.pld import privacy_loss_distribution as pld
from scipy.optimize import linprog
from scipy.stats import binom, norm
from support.errors import refused

from lib.audit.one_run import ESTIMATORS, Bound, gaussian, guess_counts, lower_bound, p_value, reach, refutes, steinke
from lib.privacy.accounting import Gaussian

DELTA = 1e-5
COINS = np.array([True, False])


def ideal_run(epsilon: float, canaries: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores and coins of an ideal attack on a Gaussian mechanism that is exactly (epsilon, DELTA)-DP."""
    included = rng.random(canaries) < 0.5
    included[:2] = True, False
    return Gaussian(get_sigma_gaussian(epsilon, DELTA)).ideal_scores(included, rng), included


# --- the estimators


@pytest.mark.parametrize(("correct", "guesses", "canaries"), [(5, 6, 9), (0, 4, 4), (7, 7, 7), (12, 20, 25)])
@pytest.mark.parametrize("delta", [0.0, 1e-3])
def test_p_value_is_the_sum_over_all_outcomes(correct, guesses, canaries, delta):
    q = math.exp(1.3) / (1 + math.exp(1.3))
    chance = [math.comb(guesses, w) * q**w * (1 - q) ** (guesses - w) for w in range(guesses + 1)]
    exact = sum(chance[correct:])
    lost = [sum(chance[max(0, correct - i) : correct]) / i for i in range(1, correct + 1)]
    exact += 2 * canaries * delta * max(lost, default=0)
    assert p_value(correct, guesses, canaries, epsilon=1.3, delta=delta) == pytest.approx(min(1, exact))


@pytest.mark.parametrize(("correct", "guesses"), [(40, 40), (33, 40), (30, 40)])
def test_steinke_is_the_largest_epsilon_that_is_refuted(correct, guesses):
    bound = steinke(correct, guesses, 100, delta=DELTA, beta=0.05)
    assert bound > 0
    assert p_value(correct, guesses, 100, epsilon=bound, delta=DELTA) <= 0.05
    assert p_value(correct, guesses, 100, epsilon=bound + 2e-4, delta=DELTA) > 0.05


def test_without_delta_steinke_is_the_interval_of_a_share():
    q = 0.05 ** (1 / 30)  # all of 30 right: Clopper and Pearson's lower end
    assert steinke(30, 30, 30, delta=0.0, beta=0.05) == pytest.approx(math.log(q / (1 - q)), abs=2e-4)


def most_likely(correct: int, guesses: int, canaries: int, mu: float) -> float:
    """The largest P[v or more right] that mu-GDP allows, by a linear programme: its curve as many tangents.

    Unknown: the chances p_0..p_r. For every i and every epsilon, R_i <= e^epsilon H_{i-1} + delta(epsilon).
    """
    count = np.arange(guesses + 1)
    rows, limits = [], []
    for e in np.linspace(-12, 12, 300):
        delta = norm.cdf(-e / mu + mu / 2) - math.exp(e) * norm.cdf(-e / mu - mu / 2)
        for i in range(1, guesses + 1):
            right = np.where(count >= i, count, 0) / canaries
            wrong = np.where(count >= i - 1, guesses - count, 0) / canaries
            rows.append(right - math.exp(e) * wrong)
            limits.append(delta)
    aim = -(count >= correct).astype(float)
    return -linprog(aim, A_ub=rows, b_ub=limits, A_eq=[np.ones(guesses + 1)], b_eq=[1.0]).fun


@pytest.mark.parametrize(
    ("correct", "guesses", "canaries", "mu"), [(4, 4, 4, 0.7), (4, 5, 8, 0.5), (3, 4, 4, 0.6), (6, 8, 10, 0.8)]
)
def test_the_gaussian_bound_is_the_worst_case_of_all_distributions(correct, guesses, canaries, mu):
    worst = most_likely(correct, guesses, canaries, mu)
    assert 0.05 < worst < 0.999  # tangents stand outside the curve: the programme's worst case is a little above
    assert refutes(mu, correct, guesses, canaries, worst * 1.001)
    assert not refutes(mu, correct, guesses, canaries, worst * 0.985)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_bound_grows_with_right_guesses_and_falls_with_confidence(estimator):
    bound = ESTIMATORS[estimator]
    grown = [bound(v, 60, 100, delta=DELTA, beta=0.05) for v in range(61)]
    assert grown == sorted(grown) and grown[30] == 0 < grown[60]
    assert bound(55, 60, 100, delta=DELTA, beta=0.01) < bound(55, 60, 100, delta=DELTA, beta=0.1)


def test_the_gaussian_bound_speaks_of_epsilon_at_delta():
    bound = gaussian(50, 60, 100, delta=DELTA, beta=0.05)
    mu = 1 / get_sigma_gaussian(bound, DELTA)
    assert refutes(mu - 1e-3, 50, 60, 100, 0.05) and not refutes(mu + 1e-3, 50, 60, 100, 0.05)
    assert get_epsilon_gaussian(1 / mu, 0.05) < bound


def test_the_gaussian_curve_stands_above_that_of_dp_sgd():
    """Below its epsilon DP-SGD leaks less than the Gaussian mechanism of the same (epsilon, delta) at every delta."""
    curve = pld.from_gaussian_mechanism(0.577, sampling_prob=256 / 3184, value_discretization_interval=2e-2)
    curve = curve.self_compose(15)
    epsilon = curve.get_epsilon_for_delta(DELTA)
    mu = 1 / get_sigma_gaussian(epsilon, DELTA)
    e = np.linspace(0.05, 0.99 * epsilon, 50)
    assert np.all(curve.get_delta_for_epsilon(e) < norm.cdf(-e / mu + mu / 2) - np.exp(e) * norm.cdf(-e / mu - mu / 2))


# --- coverage


def over(bounds: list[float], truth: float) -> int:
    return sum(bound > truth for bound in bounds)


ALLOWED = binom.ppf(0.99, 200, 0.05)  # wrong bounds in 200 trials, where each is wrong with chance 5%


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("epsilon", [0.5, 4.0])
def test_bounds_cover_the_epsilon_of_a_gaussian_mechanism(estimator, epsilon):
    rng = np.random.default_rng(1)
    runs = [ideal_run(epsilon, 40, rng) for _ in range(200)]
    bounds = [lower_bound(s, i, estimator=estimator, delta=DELTA, rng=rng).epsilon for s, i in runs]
    assert over(bounds, epsilon) <= ALLOWED
    assert epsilon < 1 or max(bounds) > epsilon / 4  # and they are no empty promise


def test_steinke_covers_randomized_response_and_is_wrong_now_and_then():
    """Its worst case: every coin is published, right with chance q. A single number of guesses, so near 5%."""
    rng, q = np.random.default_rng(2), 1 / (1 + math.exp(-1))
    bounds = [steinke(int(right), 40, 40, delta=0.0, beta=0.05) for right in rng.binomial(40, q, size=2000)]
    exact = binom.sf(next(v for v in range(41) if steinke(v, 40, 40, delta=0.0, beta=0.05) > 1) - 1, 40, q)
    assert 0.01 < exact <= 0.05
    assert binom.ppf(0.001, 2000, exact) <= over(bounds, 1) <= binom.ppf(0.999, 2000, exact)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_choice_of_the_number_of_guesses_is_paid_for(estimator):
    """Without signal the best of several uncorrected bounds is above 0 too often; the corrected one is not."""
    rng = np.random.default_rng(3)
    coins = [rng.random(60) < 0.5 for _ in range(400)]
    bounds = [lower_bound(rng.normal(size=60), c, estimator=estimator, delta=DELTA, rng=rng).epsilon for c in coins]
    assert over(bounds, 0) <= binom.ppf(0.99, 400, 0.05)


@pytest.mark.parametrize("first", [True, False])
def test_equal_scores_say_nothing_even_where_the_file_is_ordered_by_the_coins(first):
    rng = np.random.default_rng(0)
    included = (np.arange(100) < 50) == first
    bounds = [lower_bound(np.zeros(100), included, estimator="steinke", delta=0.0, rng=rng) for _ in range(40)]
    assert over([b.epsilon for b in bounds], 0) <= 6


def test_few_canaries_are_guessed_in_pairs():
    assert guess_counts(200) == [200, 80, 30] and guess_counts(3) == [2, 2, 2]
    with refused("audit.canaries_too_few", name="canaries", value=1):
        guess_counts(1)


def test_a_bound_says_which_guesses_it_rests_on():
    included = np.arange(100) % 2 == 0
    bound = lower_bound(included * 1.0, included, estimator="steinke", delta=DELTA, rng=np.random.default_rng(0))
    assert bound == Bound(reach(100, estimator="steinke", delta=DELTA), 100, 100)


@pytest.mark.parametrize(("estimator", "epsilon", "reference"), [
    ("steinke", 1, 0.01), ("steinke", 4, 0.80), ("steinke", 8, 1.54),
    ("gaussian f-DP", 1, 0.03), ("gaussian f-DP", 4, 1.49), ("gaussian f-DP", 8, 2.08),
])  # fmt: skip
def test_an_ideal_attack_shows_what_was_computed_elsewhere(estimator, epsilon, reference):
    """m = 200; more than the reference is welcome, since coverage is tested above."""
    rng = np.random.default_rng(5)
    runs = [ideal_run(epsilon, 200, rng) for _ in range(40)]
    bounds = [lower_bound(s, i, estimator=estimator, delta=DELTA, rng=rng).epsilon for s, i in runs]
    assert reference - 0.15 <= np.mean(bounds) < epsilon


@pytest.mark.parametrize(
    ("call", "code", "name", "value"),
    [
        (
            lambda rng: lower_bound([1.0, 2.0], COINS, estimator="other", delta=0.0, rng=rng),
            "audit.estimator_unknown",
            "estimator",
            "other",
        ),
        (lambda _: steinke(5, 4, 6, delta=0.0, beta=0.05), "audit.guess_numbers", "correct", (5, 4, 6)),
        (lambda _: steinke(4, 7, 6, delta=0.0, beta=0.05), "audit.guess_numbers", "correct", (4, 7, 6)),
        (lambda _: steinke(3, 4, 6, delta=1.0, beta=0.05), "audit.delta_out_of_range", "delta", 1.0),
        (lambda _: gaussian(3, 4, 6, delta=DELTA, beta=0.0), "audit.beta_out_of_range", "beta", 0.0),
        (lambda _: gaussian(3, 4, 6, delta=0.0, beta=0.05), "audit.delta_zero", "delta", 0.0),
    ],
)
def test_numbers_that_make_no_bound_are_refused(call, code, name, value):
    with refused(code, name=name, value=value):
        call(np.random.default_rng(0))


def test_all_orders_of_few_canaries_have_the_chance_that_is_claimed():
    """Brute force: m = 8, no signal, every choice of 4 included canaries once; steinke at delta 0 refutes epsilon 0."""
    rng, wrong = np.random.default_rng(0), 0
    choices = list(combinations(range(8), 4))
    for chosen in choices:
        included = np.isin(np.arange(8), chosen)
        wrong += lower_bound(np.arange(8.0), included, estimator="steinke", delta=0.0, beta=0.3, rng=rng).epsilon > 0
    assert 0 < wrong / len(choices) <= 0.3
