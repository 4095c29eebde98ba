"""Every epsilon of Doppel comes from here: privacy loss distributions (PLD) of dp-accounting.

>>> train = Gaussian(noise_multiplier=0.577, sampling_probability=256 / 3184, count=15)
>>> round(epsilon([train], delta=default_delta(3184)), 2)
7.99
>>> histogram = DiscreteGaussian(scale=10.0)
>>> round(epsilon([train, histogram], delta=default_delta(3184)), 3)
7.996

Neighbours are add-or-remove-one-unit throughout. PLDs are discretized pessimistically, so every figure is an upper
bound (Koskela et al. 2020; Doroshenko et al. 2022, "Connect the dots"). The mechanisms themselves are in
`lib.privacy.mechanism_kinds` and `lib.privacy.exponential`, and can be imported from here.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from importlib.metadata import version

import numpy as np
from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution
from scipy.optimize import brentq

from lib.common.errors import DoppelError
from lib.privacy.exponential import Exponential
from lib.privacy.mechanism import MAX_NOISE_MULTIPLIER, MIN_NOISE_MULTIPLIER, Mechanism
from lib.privacy.mechanism_kinds import DiscreteGaussian, Gaussian, NonPrivate

__all__ = [
    "ACCOUNTANT", "DISCRETIZATION", "SEARCH_DISCRETIZATION", "DiscreteGaussian", "Exponential", "Gaussian",
    "Mechanism", "NonPrivate", "calibrate", "check_delta", "default_delta", "epsilon", "epsilon_replacing", "profile",
]  # fmt: skip

DISCRETIZATION = 1e-4  # width of a privacy-loss bucket in the figures that are stated
REPLACING_DISCRETIZATION = 5e-3  # for replaced units, whose figure is a looser bound anyway
STEP = 0.02  # of the search for it
SEARCH_DISCRETIZATION = 1e-3  # while calibrating: ten times faster and on the safe side too
ACCOUNTANT = {
    "method": "privacy loss distribution, pessimistic",
    "library": f"dp-accounting {version('dp-accounting')}",
    "discretization": DISCRETIZATION,
}


def default_delta(units: int) -> float:
    """1 / (n ln n): well below the 1/n at which a unit could be published whole.

    Args:
        units: n >= 3, the number of units; treated as public.

    Returns:
        Delta, in (0, 1/n).

    Raises:
        DoppelError: ``units`` is below 3.
    """
    if units < 3:
        raise DoppelError(
            "privacy.too_few_units",
            f"units = {units}: a delta below 1/n needs at least 3 units",
            name="units",
            value=units,
            remedy="give more records",
        )
    return 1.0 / (units * math.log(units))


def check_delta(delta: float) -> None:
    """Refuse a ``delta`` outside (0, 1).

    Raises:
        DoppelError: ``privacy.delta_range``.
    """
    if not 0 < delta < 1:
        raise DoppelError(
            "privacy.delta_range",
            f"delta = {delta} is outside (0, 1)",
            name="delta",
            value=delta,
            remedy="leave it unset for 1/(n ln n)",
        )


def epsilon(mechanisms: Sequence[Mechanism], *, delta: float, discretization: float = DISCRETIZATION) -> float:
    """Smallest epsilon such that the composition is (epsilon, delta)-DP for add/remove of one unit.

    Args:
        mechanisms: everything that touched the private records; all of them for the same unit. Each carries its own
            sampler and sensitivity.
        delta: in (0, 1).
        discretization: width of a privacy-loss bucket, > 0; wider is faster, and epsilon never smaller.

    Returns:
        Epsilon >= 0: an upper bound. 0 for no mechanism, infinity where one is not private.

    Raises:
        DoppelError: ``delta`` is outside (0, 1).
    """
    check_delta(delta)
    if not mechanisms:
        return 0.0
    if any(mechanism.unbounded for mechanism in mechanisms):
        return math.inf
    return _composed(tuple(mechanisms), delta, discretization)


def profile(mechanisms: Sequence[Mechanism], *, discretization: float = DISCRETIZATION) -> Callable[[float], float]:
    """The privacy profile of a composition: its delta at every epsilon, for add/remove of one unit.

    Args:
        mechanisms: at least one, each private and all for the same unit.
        discretization: width of a privacy-loss bucket, > 0; wider is faster, and delta never smaller.

    Returns:
        Epsilon -> an upper bound on delta, the larger of adding and removing, in [0, 1].
    """
    composed = _compose([_pld(mechanism, discretization) for mechanism in mechanisms])
    return lambda at: float(composed.get_delta_for_epsilon(at))


@lru_cache(maxsize=64)
def epsilon_replacing(mechanisms: tuple[Mechanism, ...], delta: float) -> float:
    """An upper bound on epsilon at the same delta where one unit is *replaced* by another, so that n stays as it is.

    It is the smaller of two bounds. The first composes each mechanism's own (`Mechanism.pld_replacing`), which is exact
    where nothing is sampled. The second takes a replacement for a removal and an addition (group privacy): with a delta
    of d(t) at epsilon t for either, both together have epsilon 2t at a delta of (1 + e^t) d(t).

    Args:
        mechanisms: everything that touched the private records; all of them for the same unit.
        delta: in (0, 1).

    Returns:
        Epsilon >= 0, more than twice that of `epsilon`; infinity where a mechanism is not private.
    """
    if any(mechanism.unbounded for mechanism in mechanisms):
        return math.inf
    own = _compose([mechanism.pld_replacing(REPLACING_DISCRETIZATION) for mechanism in mechanisms])
    own_bound = float(own.get_epsilon_for_delta(delta))
    one = _compose([_pld(mechanism, REPLACING_DISCRETIZATION) for mechanism in mechanisms])

    def fits(t: float) -> bool:
        return (1 + math.exp(t)) * one.get_delta_for_epsilon(t) <= delta

    # a scan: far out, e^t times what is cut off from the distribution takes over, so it may fit in the middle alone
    return 2 * next((t for t in np.arange(0, own_bound / 2, STEP) if fits(t)), own_bound / 2)


@lru_cache(maxsize=256)  # a ledger is asked for its epsilon several times, and it takes seconds
def _composed(mechanisms: tuple[Mechanism, ...], delta: float, discretization: float) -> float:
    return float(_compose([_pld(mechanism, discretization) for mechanism in mechanisms]).get_epsilon_for_delta(delta))


@lru_cache(maxsize=8)  # a training's takes a second, and it is composed again with each event that comes after it
def _pld(mechanism: Mechanism, discretization: float) -> PrivacyLossDistribution:
    return mechanism.pld(discretization)


def _compose(distributions: Sequence[PrivacyLossDistribution]) -> PrivacyLossDistribution:
    return reduce(lambda left, right: left.compose(right), distributions)


def calibrate(
    make: Callable[[float], Mechanism], *, target_epsilon: float, delta: float, others: Sequence[Mechanism] = ()
) -> float:
    """Smallest noise multiplier (to 6 digits, rounded up) that keeps ``others`` plus the mechanism within the target.

    Args:
        make: the mechanism for a noise multiplier, e.g. ``lambda noise: Gaussian(noise, q, steps)``.
        target_epsilon: > 0 and finite; the spent epsilon never exceeds it.
        delta: in (0, 1).
        others: what the arm spends besides (its label histogram, say), for the same unit.

    Returns:
        The noise multiplier: sigma over the L2 sensitivity, above `MIN_NOISE_MULTIPLIER`.

    Raises:
        DoppelError: ``target_epsilon`` or ``delta`` is out of its range, one of ``others`` is not private, or the
            target cannot be reached; the sentence then has the smallest epsilon that can.
    """
    if not target_epsilon > 0 or math.isinf(target_epsilon):
        raise DoppelError(
            "privacy.target_range",
            f"target_epsilon = {target_epsilon} must be positive and finite",
            name="target_epsilon",
            value=target_epsilon,
            remedy="null trains without privacy",
        )

    def spent(noise: float) -> float:
        return epsilon([make(noise), *others], delta=delta, discretization=SEARCH_DISCRETIZATION)

    smallest = spent(MAX_NOISE_MULTIPLIER)
    if math.isinf(smallest):
        raise DoppelError(
            "privacy.others_not_private",
            f"target_epsilon = {target_epsilon:g} cannot be reached: another access of the arm is not private",
            name="target_epsilon",
            value=target_epsilon,
            remedy="leave out inputs that have no target_epsilon, or set it to null here too",
        )
    if smallest > target_epsilon:
        raise _unreachable(target_epsilon, delta, reachable=math.ceil(smallest * 1000) / 1000)
    high = 1.0
    while spent(high) > target_epsilon:
        high *= 2
    low = high / 2
    while low > MIN_NOISE_MULTIPLIER and spent(low) <= target_epsilon:
        low, high = low / 2, low
    if low <= MIN_NOISE_MULTIPLIER:
        return high
    root = brentq(lambda x: spent(math.exp(x)) - target_epsilon, math.log(low), math.log(high), xtol=1e-6)
    noise = math.exp(root)
    while True:
        rounded = _round_up(noise, digits=6)
        stated = [*others, make(rounded)]  # the finer figure is the smaller one, but for a last digit
        if spent(rounded) <= target_epsilon and epsilon(stated, delta=delta) <= target_epsilon:
            return rounded
        noise *= 1 + 1e-6


def _unreachable(target_epsilon: float, delta: float, *, reachable: float) -> DoppelError:
    return DoppelError(
        "privacy.target_unreachable",
        f"target_epsilon = {target_epsilon:g} cannot be reached: the arm's other accesses and delta = {delta:.2g} "
        f"already need {reachable:g}",
        name="target_epsilon",
        value=target_epsilon,
        remedy=f"raise target_epsilon above {reachable:g}, or the noise of the label histogram",
    )


def _round_up(value: float, digits: int) -> float:
    scale = 10 ** (digits - 1 - math.floor(math.log10(value)))
    return math.ceil(value * scale) / scale
