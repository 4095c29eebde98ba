"""The exponential mechanism: its adaptive composition against closed forms, recursions and every outcome of toys."""

import itertools
import math

import numpy as np
import pytest
from support.errors import refused

from lib.privacy import exponential
from lib.privacy.accounting import Exponential, Gaussian, calibrate, epsilon, epsilon_replacing
from lib.privacy.exponential import profile
from lib.privacy.mechanism import Mechanism

DELTA = 1e-5


def bound(eta: float, count: int, s: float) -> float:
    """The bound of `profile` at any s."""
    points, deltas = profile(eta, count)
    return float(np.interp(s, [0.0, *points], [1.0, *deltas]))


@pytest.mark.parametrize("eta", [0.05, 0.6, 4.0])
def test_one_release_has_the_closed_form_of_its_paper(eta):
    """Dong, Durfee & Rogers 2020, Lemma 3.2: (1 - e^((epsilon - eta) / 2))^2 / (1 - e^-eta)."""
    for at in np.linspace(0, eta, 9):
        exact = (1 - math.exp((at - eta) / 2)) ** 2 / (1 - math.exp(-eta))
        assert exact - 1e-12 <= bound(eta, 1, math.exp(at)) <= exact + 0.01 * math.tanh(eta / 4)
    assert bound(eta, 1, math.exp(eta)) == pytest.approx(0, abs=1e-15)


def recursion(eta: float, count: int, s: float, splits: int = 41) -> float:
    """H_T by the theorem itself, over a grid of splits and without points or lines: never above the largest."""
    if count == 0:
        return max(0.0, 1 - s)
    values = []
    for t in np.linspace(0, eta, splits):
        a, b = s * math.exp(t - eta), s * math.exp(t)
        w = (b - s) / (b - a)
        values.append(w * recursion(eta, count - 1, a, splits) + (1 - w) * recursion(eta, count - 1, b, splits))
    return max(values)


@pytest.mark.parametrize("s", [0.5, 1.0, 1.6, 3.0])
def test_three_releases_are_those_of_the_recursion(s):
    exact = recursion(0.8, 3, s)
    assert exact - 1e-12 <= bound(0.8, 3, s) <= exact + 2e-3


def test_no_adaptive_toy_of_four_tokens_is_above_the_bound():
    """All outcomes of releases whose scores depend on what came before, with a unit and without: the worst of many."""
    noise, count, tokens = 1.3, 3, 4
    rng, levels = np.random.default_rng(0), np.exp(np.linspace(0, 2.5, 6))
    limits, too_low = ([bound(eta, count, s) for s in levels] for eta in (2 / noise, 1.5 / noise))
    shares, excess = [], []
    for trial in range(200):
        p, q = np.ones(tokens**count), np.ones(tokens**count)
        befores = [before for length in range(count) for before in itertools.product(range(tokens), repeat=length)]
        public = {before: rng.normal(0, 2, tokens) for before in befores}
        push = {before: rng.uniform(-1, 1, tokens) for before in befores}
        if trial % 2:  # a unit that pushes with all its might
            push = {before: np.sign(pushes) for before, pushes in push.items()}
        for number, outcome in enumerate(itertools.product(range(tokens), repeat=count)):
            for step, token in enumerate(outcome):
                without, within = (np.exp((public[outcome[:step]] + x) / noise) for x in (0, push[outcome[:step]]))
                q[number] *= without[token] / without.sum()
                p[number] *= within[token] / within.sum()
        assert p.sum() == pytest.approx(1) and q.sum() == pytest.approx(1)
        for s, limit, low in zip(levels, limits, too_low, strict=True):
            delta = max(np.maximum(0, p - s * q).sum(), np.maximum(0, q - s * p).sum())
            assert delta <= limit + 1e-12
            shares.append(delta / limit)
            excess.append(delta - low)
    assert max(shares) > 0.8  # the bound is not idle,
    assert max(excess) > 0  # and one for a smaller range is found out


def test_choices_that_look_back_cost_more_than_one_split_for_all():
    eta, count, s = 0.8, 4, 1.5
    fixed = 0.0
    for t in np.linspace(0, eta, 81):
        w = (1 - math.exp(-t)) / (1 - math.exp(-eta))
        losses = np.array([k * (eta - t) - (count - k) * t for k in range(count + 1)])
        chances = np.array([math.comb(count, k) * w**k * (1 - w) ** (count - k) for k in range(count + 1)])
        fixed = max(fixed, float((chances * np.maximum(0, 1 - s * np.exp(-losses))).sum()))
    assert recursion(eta, 3, s, 21) < fixed < bound(eta, count, s)


@pytest.mark.parametrize("mechanism", [Exponential(3.2, 32), Exponential(10.0, 32), Exponential(8.0, 64)])
def test_epsilon_lies_between_an_attack_and_zcdp(mechanism):
    """zCDP: rho = T / (2 noise^2), to (epsilon, delta) by Proposition 12 of Canonne, Kamath & Steinke 2020."""
    orders = np.exp(np.linspace(1e-3, 7, 4000))
    rho = mechanism.count / (2 * mechanism.noise_multiplier**2)
    logs = np.log((orders - 1) / orders) - (math.log(DELTA) + np.log(orders)) / (orders - 1)
    usual = float((rho * orders + logs).min())
    spent = epsilon([mechanism], delta=DELTA)
    assert 0.9 * spent < mechanism.epsilon_at_least(DELTA) < spent < 0.95 * usual


def test_many_releases_lose_about_what_a_gaussian_of_their_noise_loses():
    """Their bounded range is 2 over the noise, and the losses add up to those of mu = sqrt(T) over the noise."""
    assert epsilon([Exponential(40.0, 400)], delta=DELTA) == pytest.approx(
        epsilon([Gaussian(40.0, count=400)], delta=DELTA), rel=0.03
    )


def test_blocks_are_on_the_safe_side_and_cost_little(monkeypatch):
    whole = epsilon([Exponential(7.0, 48)], delta=DELTA)
    monkeypatch.setattr(exponential, "BLOCK", 12)
    exponential._loss.cache_clear()
    assert whole < exponential.Exponential(7.0, 48).pld(1e-3).get_epsilon_for_delta(DELTA) < 1.04 * whole
    exponential._loss.cache_clear()


def test_a_replaced_unit_is_a_range_of_twice_the_width():
    mechanism = Exponential(6.0, 16)
    assert mechanism.pld_replacing(1e-3).get_epsilon_for_delta(DELTA) == pytest.approx(
        epsilon([Exponential(3.0, 16)], delta=DELTA), rel=1e-3
    )
    two_batches = epsilon([Exponential(6.0, 32)], delta=DELTA)  # a removal from one, an addition to another
    assert two_batches <= epsilon_replacing((mechanism,), DELTA) * 1.001


def test_noise_is_calibrated_and_more_of_it_is_safer():
    noise = calibrate(lambda x: Exponential(x, 12), target_epsilon=2.0, delta=DELTA)
    assert 0.999 * 2 < epsilon([Exponential(noise, 12)], delta=DELTA) <= 2
    spent = [epsilon([Exponential(x, 12)], delta=DELTA) for x in (0.3, 1.0, 3.0, 30.0, 1e4)]
    assert spent == sorted(spent, reverse=True)


def test_ideal_scores_are_log_likelihood_ratios():
    mechanism = Exponential(2.0, 5)
    inside = mechanism.ideal_scores(np.ones(200_000, bool), np.random.default_rng(0))
    outside = mechanism.ideal_scores(np.zeros(200_000, bool), np.random.default_rng(1))
    assert np.exp(outside).mean() == pytest.approx(1, abs=0.02)  # E q (p / q) = 1
    assert np.exp(-inside).mean() == pytest.approx(1, abs=0.02)
    push = 1 / 2.0  # one token of five: p = e^push / (e^push + e^-push), q = 1/2
    ratio = math.log(2 * math.exp(push) / (math.exp(push) + math.exp(-push)))
    assert mechanism.log_likelihood_ratio(np.array([5]))[0] == pytest.approx(5 * ratio)


def test_json_and_figures_that_nobody_can_have():
    mechanism = Exponential(2.0, 5)
    assert Mechanism.from_json(mechanism.as_json()) == mechanism
    assert mechanism.merged_with([Exponential(2.0, 3)]) == Exponential(2.0, 8)
    for wrong, name in ((Exponential(0.01, 5), "noise_multiplier"), (Exponential(2.0, 0), "count")):
        with refused("privacy.impossible_mechanism", name=name):
            wrong.validate()
