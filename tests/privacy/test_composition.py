"""Compositions: fewer mechanisms with the same privacy loss, and what a guarantee never goes below."""

import pytest

from lib.privacy.accounting import DiscreteGaussian, Gaussian, epsilon
from lib.privacy.composition import composed, merged, spent

DELTA = 1e-4
CHARGES = [Gaussian(4.0, count=2), DiscreteGaussian(6.0), Gaussian(4.0, count=3), Gaussian(9.0), DiscreteGaussian(6.0)]


def test_what_is_merged_composes_to_the_same_in_any_order() -> None:
    together = merged(CHARGES)
    assert len(together) < len(CHARGES)
    assert epsilon(together, delta=DELTA, discretization=1e-3) == pytest.approx(
        epsilon(CHARGES, delta=DELTA, discretization=1e-3), rel=1e-2
    )
    assert composed(CHARGES, DELTA) == pytest.approx(composed(CHARGES[::-1], DELTA), rel=1e-9)
    assert merged(together) == together


def test_more_charges_cost_more_and_none_costs_nothing() -> None:
    costs = [composed(CHARGES[:number], DELTA) for number in range(1, 6)]
    assert costs == sorted(costs) and len(set(costs)) == 5
    assert composed([], None) == 0.0 and merged([]) == []


def test_a_guarantee_is_never_below_the_arms_own() -> None:
    whole = composed(CHARGES, DELTA)
    for covers in ("all arms named for release", "all that was charged"):
        assert spent(covers, merged(CHARGES), delta=DELTA, own=whole / 2) == pytest.approx(whole)
        assert spent(covers, merged(CHARGES), delta=DELTA, own=2 * whole) == 2 * whole
    assert spent("this arm", CHARGES, delta=DELTA, own=0.5) == 0.5
