"""Every epsilon of Doppel comes from here: privacy loss distributions (PLD) of dp-accounting.

>>> train = Gaussian(noise_multiplier=0.577, sampling_probability=256 / 3184, count=15)
>>> round(epsilon([train], delta=default_delta(3184)), 2)
7.99
>>> histogram = DiscreteGaussian(scale=10.0)
>>> round(epsilon([train, histogram], delta=default_delta(3184)), 3)
7.996

Neighbours are add-or-remove-one-unit throughout. PLDs are discretized pessimistically, so every
figure is an upper bound (Koskela et al. 2020; Doroshenko et al. 2022, "Connect the dots").
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from importlib.metadata import version

from dp_accounting.pld import privacy_loss_distribution as pld
from scipy.optimize import brentq

from lib.common.errors import DoppelError

DISCRETIZATION = 1e-4  # width of a privacy-loss bucket in the figures that are stated
SEARCH_DISCRETIZATION = 1e-3  # while calibrating: ten times faster and on the safe side too
MIN_NOISE_MULTIPLIER = 0.05  # below, epsilon is in the thousands: no promise worth the name
MAX_NOISE_MULTIPLIER = 1e4
ACCOUNTANT = {
    "method": "privacy loss distribution, pessimistic",
    "library": f"dp-accounting {version('dp-accounting')}",
    "discretization": DISCRETIZATION,
}


@dataclass(frozen=True)
class Gaussian:
    """``count`` releases of a sum with L2 sensitivity 1 plus N(0, noise_multiplier^2).

    Each release sees a Poisson sample: every unit joins independently with ``sampling_probability``
    (1 = everyone). DP-SGD is this with the clipping norm as the unit of the sum.
    """

    noise_multiplier: float
    sampling_probability: float = 1.0
    count: int = 1


@dataclass(frozen=True)
class DiscreteGaussian:
    """``count`` releases of integer counts plus discrete Gaussian noise (Canonne et al. 2020).

    One unit changes one count by at most ``sensitivity``; ``scale`` is sigma of the noise.
    """

    scale: float
    sensitivity: int = 1
    count: int = 1


@dataclass(frozen=True)
class NonPrivate:
    """An access to the private records with no guarantee at all: epsilon is infinite."""


Mechanism = Gaussian | DiscreteGaussian | NonPrivate


def default_delta(units: int) -> float:
    """1 / (n ln n) for ``units`` = n >= 3 units: well below the 1/n at which a unit could be published whole."""
    if units < 3:
        raise DoppelError(f"units = {units}: a delta below 1/n needs at least 3 units; give more records")
    return 1.0 / (units * math.log(units))


def epsilon(mechanisms: Sequence[Mechanism], *, delta: float, discretization: float = DISCRETIZATION) -> float:
    """Smallest epsilon such that the composition is (epsilon, delta)-DP for add/remove of one unit.

    Returns 0 for no mechanism and infinity where a mechanism is not private.
    """
    if not 0 < delta < 1:
        raise DoppelError(f"delta = {delta} is outside (0, 1); leave it unset for 1/(n ln n)")
    if not mechanisms:
        return 0.0
    if any(_unbounded(m) for m in mechanisms):
        return math.inf
    return _composed(tuple(mechanisms), delta, discretization)


@lru_cache(maxsize=256)  # a ledger is asked for its epsilon several times, and it takes seconds
def _composed(mechanisms: tuple[Mechanism, ...], delta: float, discretization: float) -> float:
    composed = reduce(lambda a, b: a.compose(b), (_distribution(m, discretization) for m in mechanisms))
    return float(composed.get_epsilon_for_delta(delta))


def _unbounded(mechanism: Mechanism) -> bool:
    return isinstance(mechanism, NonPrivate) or getattr(mechanism, "noise_multiplier", 1) == 0


def _distribution(mechanism: Mechanism, discretization: float) -> pld.PrivacyLossDistribution:
    match mechanism:
        case Gaussian(noise_multiplier, sampling_probability, count):
            if (
                sampling_probability == 1
            ):  # exact, and far faster than composing: count releases are one with less noise
                return pld.from_gaussian_mechanism(
                    noise_multiplier / math.sqrt(count), value_discretization_interval=discretization
                )
            one = pld.from_gaussian_mechanism(
                noise_multiplier, sampling_prob=sampling_probability, value_discretization_interval=discretization
            )
        case DiscreteGaussian(scale, sensitivity, count):
            one = pld.from_discrete_gaussian_mechanism(
                scale, sensitivity=sensitivity, value_discretization_interval=discretization
            )
        case _:
            raise TypeError(f"no privacy loss distribution for {type(mechanism).__name__}")
    return one.self_compose(count) if count > 1 else one


def calibrate(
    make: Callable[[float], Mechanism], *, target_epsilon: float, delta: float, others: Sequence[Mechanism] = ()
) -> float:
    """Smallest noise multiplier (to 6 digits, rounded up) that keeps ``others`` plus the mechanism within the target.

    Args:
        make: the mechanism for a noise multiplier, e.g. ``lambda s: Gaussian(s, q, steps)``.
        target_epsilon: > 0; the spent epsilon never exceeds it.
        delta: in (0, 1).
        others: what the arm spends besides (its label histogram, say).

    Raises:
        DoppelError: the target cannot be reached; the message has the smallest epsilon that can.
    """
    if not target_epsilon > 0 or math.isinf(target_epsilon):
        raise DoppelError(f"target_epsilon = {target_epsilon} must be positive and finite; null trains without privacy")

    def spent(noise: float) -> float:
        return epsilon([make(noise), *others], delta=delta, discretization=SEARCH_DISCRETIZATION)

    smallest = spent(MAX_NOISE_MULTIPLIER)
    if smallest > target_epsilon:
        reachable = math.ceil(smallest * 1000) / 1000
        raise DoppelError(
            f"target_epsilon = {target_epsilon:g} cannot be reached: the arm's other accesses and delta = {delta:.2g} "
            f"already need {reachable:g}; raise target_epsilon above {reachable:g}, or the noise of the label histogram"
        )
    high = 1.0
    while spent(high) > target_epsilon:
        high *= 2
    low = high / 2
    while low > MIN_NOISE_MULTIPLIER and spent(low) <= target_epsilon:
        low, high = low / 2, low
    if low <= MIN_NOISE_MULTIPLIER:
        return high
    found = math.exp(brentq(lambda x: spent(math.exp(x)) - target_epsilon, math.log(low), math.log(high), xtol=1e-6))
    while spent(rounded := _round_up(found, digits=6)) > target_epsilon:
        found *= 1 + 1e-6
    return rounded


def _round_up(value: float, digits: int) -> float:
    scale = 10 ** (digits - 1 - math.floor(math.log10(value)))
    return math.ceil(value * scale) / scale
