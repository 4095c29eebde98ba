"""The best attack on canaries: its score against densities, its thresholds, and its ceiling against simulated runs."""

import numpy as np
import pytest
from scipy.stats import norm

from lib.audit import ideal_attack
from lib.audit.trade_off import lower_bound
from lib.privacy.accounting import Gaussian

DELTA = 1e-5


@pytest.mark.parametrize("q", [1.0, 0.2])
def test_the_score_is_the_ratio_of_the_densities(q: float) -> None:
    released = np.array([-3.0, -0.2, 0.5, 1.4, 8.0])
    outside, inside = norm.pdf(released, 0, 0.7), norm.pdf(released, 1, 0.7)
    expected = np.log(((1 - q) * outside + q * inside) / outside)
    assert Gaussian(0.7, q).log_likelihood_ratio(released) == pytest.approx(expected)


def test_thresholds_have_their_false_positive_rates_and_follow_from_the_mechanism_alone() -> None:
    mechanism = Gaussian(0.8, 0.3, 3)
    plan = ideal_attack.plan(mechanism)
    fresh = mechanism.ideal_scores(np.zeros(50_000, bool), np.random.default_rng(9))
    rates = [(fresh > threshold).mean() for threshold in plan.thresholds]
    assert plan.thresholds[0] == 0 and rates[1:] == pytest.approx(ideal_attack.FALSE_POSITIVE_RATES, rel=0.1)
    assert plan.outside.sum() == pytest.approx(1) and plan.inside.sum() == pytest.approx(1)
    ideal_attack.plan.cache_clear()
    assert ideal_attack.plan(mechanism).thresholds == plan.thresholds


@pytest.mark.parametrize("mechanism", [Gaussian(1.0), Gaussian(0.5, 0.3, 3)])
def test_the_ceiling_is_the_median_of_ideal_attacks(mechanism: Gaussian) -> None:
    rng, inside, plan = np.random.default_rng(2), np.arange(2000) < 1000, ideal_attack.plan(mechanism)
    given = {"thresholds": plan.thresholds, "mechanism": mechanism, "delta": DELTA, "beta": 0.05}
    bounds = [lower_bound(mechanism.ideal_scores(inside, rng), inside, **given).epsilon for _ in range(31)]
    assert plan.ceiling(2000, delta=DELTA, beta=0.05) == pytest.approx(np.median(bounds), rel=0.1)


def test_ceilings_grow_with_canaries_and_fall_with_sampling() -> None:
    def ceiling(mechanism: Gaussian, canaries: int) -> float:
        return ideal_attack.plan(mechanism).ceiling(canaries, delta=DELTA, beta=0.05)

    grown = [ceiling(Gaussian(1.0), number) for number in (20, 200, 2000, 20_000)]
    assert grown == sorted(grown) and grown[0] == 0
    assert ceiling(Gaussian(1.0, 0.1), 200) < grown[1]
