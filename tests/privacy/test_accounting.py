"""The accountant against closed forms, published values and another accountant."""

import math
import re

import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.rdp import RdpAccountant
from scipy.optimize import brentq
from scipy.stats import norm
from support.errors import refused

from lib.privacy.accounting import (
    SEARCH_DISCRETIZATION,
    DiscreteGaussian,
    Gaussian,
    NonPrivate,
    calibrate,
    default_delta,
    epsilon,
    profile,
)

# (N, T, target epsilon, sigma) for full-batch histograms at delta = 1/(N ln N), computed exactly elsewhere.
EXACT = [
    (1_939_290, 10, 1, 15.4045),
    (1_939_290, 10, 2, 8.0389),
    (1_939_290, 10, 4, 4.2451),
    (8_396, 10, 1, 11.5998),
    (8_396, 10, 2, 6.2107),
    (8_396, 10, 4, 3.3743),
    (75_316, 10, 1, 13.2506),
    (75_316, 10, 2, 7.0010),
    (75_316, 10, 4, 3.7493),
    (1_939_290, 20, 1, 21.785),
    (1_939_290, 20, 4, 6.003),
]


def closed_form(noise_multiplier: float, delta: float) -> float:
    """Epsilon of one Gaussian release from its exact privacy curve (Balle & Wang 2018, theorem 8)."""

    def excess(e: float) -> float:
        a, b = 1 / (2 * noise_multiplier), e * noise_multiplier
        return norm.cdf(a - b) - math.exp(e) * norm.cdf(-a - b) - delta

    return brentq(excess, 0, 100)


@pytest.mark.parametrize(("units", "iterations", "target", "sigma"), EXACT)
def test_calibration_gives_the_published_sigma_and_stays_below_the_target(units, iterations, target, sigma):
    delta = default_delta(units)
    found = calibrate(lambda s: Gaussian(s, count=iterations), target_epsilon=target, delta=delta)
    assert found == pytest.approx(sigma, abs=6e-4)
    spent = epsilon([Gaussian(found, count=iterations)], delta=delta)
    assert 0.999 * target < spent <= target


@pytest.mark.parametrize(("published", "spent"), [(15.34, 1.0045), (8.03, 2.0024), (4.24, 4.0053)])
def test_the_sigmas_that_peers_use_for_yelp_are_over_their_target(published, spent):
    found = epsilon([Gaussian(published, count=10)], delta=default_delta(1_939_290))
    assert found > round(spent)
    assert found == pytest.approx(spent, abs=2e-3)


@pytest.mark.parametrize("noise_multiplier", [0.7, 1.5, 6.0])
@pytest.mark.parametrize("count", [1, 7])
def test_gaussian_equals_its_closed_form(noise_multiplier, count):
    exact = closed_form(noise_multiplier / math.sqrt(count), 1e-5)
    found = epsilon([Gaussian(noise_multiplier, count=count)], delta=1e-5)
    assert exact <= found <= exact + 1e-3


@pytest.mark.parametrize("delta", [1e-6, 1e-2, 0.2])
def test_the_profile_of_a_gaussian_is_its_privacy_curve(delta):
    deltas = profile([Gaussian(1.5, count=2), Gaussian(3.0)])
    exact = closed_form(1 / math.sqrt(2 / 1.5**2 + 1 / 3.0**2), delta)
    assert delta <= deltas(exact) <= delta * (1 + 1e-3)
    assert deltas(exact + 0.1) < delta


def test_poisson_sampling_is_below_the_rdp_bound_and_near_it():
    event = SelfComposedDpEvent(PoissonSampledDpEvent(0.02, GaussianDpEvent(0.9)), 300)
    bound = RdpAccountant().compose(event).get_epsilon(1e-5)
    found = epsilon([Gaussian(0.9, 0.02, 300)], delta=1e-5)
    assert 0.75 * bound < found < bound
    whole = epsilon([Gaussian(0.9, 1.0, 300)], delta=1e-5, discretization=SEARCH_DISCRETIZATION)
    assert found < 0.2 * whole  # and sampling does amplify


def test_discrete_gaussian_is_like_its_continuous_twin():
    assert epsilon([DiscreteGaussian(10.0)], delta=1e-5) == pytest.approx(closed_form(10.0, 1e-5), rel=0.02)
    assert epsilon([DiscreteGaussian(10.0, sensitivity=3)], delta=1e-5) == pytest.approx(
        closed_form(10 / 3, 1e-5), rel=0.02
    )


def test_composition_costs_more_than_its_parts_and_less_than_their_sum():
    parts = [Gaussian(0.9, 0.1, 20), DiscreteGaussian(5.0)]
    alone = [epsilon([part], delta=1e-5) for part in parts]
    assert max(alone) < epsilon(parts, delta=1e-5) < sum(alone)
    assert epsilon([], delta=1e-5) == 0
    assert epsilon([*parts, NonPrivate()], delta=1e-5) == math.inf
    assert epsilon([Gaussian(0.0, 0.5, 3)], delta=1e-5) == math.inf


@pytest.mark.parametrize("target", [0.5, 2.0, 8.0])
def test_calibrate_then_account_round_trip_with_other_events(target):
    others, delta = [DiscreteGaussian(20.0)], default_delta(3000)
    found = calibrate(lambda s: Gaussian(s, 0.08, 15), target_epsilon=target, delta=delta, others=others)
    spent = epsilon([Gaussian(found, 0.08, 15), *others], delta=delta)
    assert 0.98 * target <= spent <= target
    assert epsilon([Gaussian(0.98 * found, 0.08, 15), *others], delta=delta) > target  # the smallest that will do


def test_an_infeasible_target_names_the_smallest_that_can_be_reached():
    others, delta = [DiscreteGaussian(2.0)], default_delta(3000)
    floor = epsilon(others, delta=delta)
    with refused("privacy.target_unreachable", name="target_epsilon", value=0.9 * floor) as refusal:
        calibrate(lambda s: Gaussian(s, 0.1, 10), target_epsilon=0.9 * floor, delta=delta, others=others)
    named = float(re.search(r"need ([\d.]+)$", refusal.value.sentence)[1])
    assert f"above {named:g}" in refusal.value.remedy
    assert floor <= named <= 1.01 * floor
    assert calibrate(lambda s: Gaussian(s, 0.1, 10), target_epsilon=1.1 * floor, delta=delta, others=others) > 1


@pytest.mark.parametrize("target", [0.0, -1.0, math.inf, math.nan])
def test_a_target_that_is_no_target_is_refused(target):
    with refused("privacy.target_range", name="target_epsilon"):
        calibrate(lambda s: Gaussian(s), target_epsilon=target, delta=1e-5)


@pytest.mark.parametrize("units", [0, 1, 2])
def test_default_delta_needs_units(units):
    with refused("privacy.too_few_units", name="units", value=units):
        default_delta(units)


@pytest.mark.parametrize("delta", [0.0, -1e-5, 1.0, math.nan])
def test_a_delta_that_is_no_probability_is_refused(delta):
    with refused("privacy.delta_range", name="delta"):
        epsilon([Gaussian(1.0)], delta=delta)


def test_what_is_calibrated_on_the_coarse_grid_is_within_the_target_on_the_fine_one_too():
    """Here the fine figure of the first noise that the search finds is 5e-8 over the target."""
    delta, histogram = default_delta(60), DiscreteGaussian(5.0)
    noise = calibrate(lambda noise: Gaussian(noise, 0.2, 4), target_epsilon=8.0, delta=delta, others=[histogram])
    assert epsilon([histogram, Gaussian(noise, 0.2, 4)], delta=delta) <= 8.0


def test_a_loss_that_is_composed_again_is_not_computed_again(monkeypatch: pytest.MonkeyPatch):
    """A training's takes a second, and is asked for with each event that comes after it."""
    training, count, computed = Gaussian(1.23, 0.05, 7), DiscreteGaussian(4.56), []
    pld = Gaussian.pld
    monkeypatch.setattr(Gaussian, "pld", lambda self, width: computed.append(width) or pld(self, width))
    alone = epsilon([training], delta=1e-5, discretization=1e-2)
    assert epsilon([training, count], delta=1e-5, discretization=1e-2) > alone
    assert epsilon([training], delta=1e-6, discretization=1e-2) > alone
    assert computed == [1e-2]
