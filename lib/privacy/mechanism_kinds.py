"""The kinds of mechanism that Doppel accounts for: one class each, with all that the rest of the code asks of it.

A new kind is a class here, marked with `register`. The accountant, ledgers, budgets, the check of a statement,
certificates and cards call its methods, and never ask which class it is.

Neighbours are add-or-remove-one-unit throughout; the unit, one record or one user, is the ledger's.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Self

import numpy as np
from dp_accounting.pld import privacy_loss_distribution as distributions
from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution
from scipy.stats import norm

from lib.common.errors import DoppelError

MIN_NOISE_MULTIPLIER = 0.05  # below, epsilon is in the thousands: no promise worth the name
TAIL = 12.0  # standard deviations of a privacy loss beyond which it counts as infinite: a chance of 2e-33
MAX_NOISE_MULTIPLIER = 1e4  # above, a release says nothing; the accountant's memory grows with it
MAX_COUNT = 10**7  # releases of one mechanism: more might keep the accountant busy for ever
MIN_SAMPLING = 1e-9  # sampling probability: below, no release of any corpus sees a unit

MECHANISMS: dict[str, type["Mechanism"]] = {}  # by class name, which is its ``kind`` in JSON


def register(mechanism: type["Mechanism"]) -> type["Mechanism"]:
    """Class decorator: ledgers and budgets can read this ``mechanism`` from JSON, by the name of its class."""
    MECHANISMS[mechanism.__name__] = mechanism
    return mechanism


class Mechanism(ABC):
    """An access to the private records, as the accountant sees it.

    Subclasses are frozen dataclasses. Their fields, in order, are what JSON holds beside ``kind``; ``count``, how
    often the mechanism is released, is one of them unless `merge_key` and `merged_with` are overridden.

    Attributes:
        title: what the kind is called in text for people.
    """

    title: ClassVar[str]

    def as_json(self) -> dict:
        """The figures, and the name of the class as ``kind``."""
        return {"kind": type(self).__name__, **asdict(self)}

    @staticmethod
    def from_json(figures: Mapping) -> "Mechanism":
        """The mechanism of ``figures`` that `as_json` made. They are not checked.

        Raises:
            KeyError: its kind is missing or unknown.
            TypeError: a figure is missing, or is none of its kind.
        """
        return MECHANISMS[figures["kind"]](**{name: figure for name, figure in figures.items() if name != "kind"})

    @abstractmethod
    def pld(self, discretization: float) -> PrivacyLossDistribution:
        """The privacy loss distribution of all releases, for add/remove of one unit; never optimistic.

        Args:
            discretization: width of a bucket of privacy loss, > 0; wider is faster and looser.
        """

    @abstractmethod
    def pld_replacing(self, discretization: float) -> PrivacyLossDistribution:
        """The same for replacing one unit by another, which is a removal and an addition; never optimistic.

        Args:
            discretization: width of a bucket of privacy loss, > 0; wider is faster and looser.
        """

    @abstractmethod
    def validate(self) -> None:
        """Refuse figures that no mechanism of Doppel has: a file with them was damaged or made up.

        Raises:
            DoppelError: ``privacy.impossible_mechanism``, with the name and value of the first such figure.
        """

    @property
    @abstractmethod
    def noise(self) -> float:
        """Sigma of the noise over what one unit can change (L2), >= 0; a card prints it."""

    @property
    def unbounded(self) -> bool:
        """Whether there is no guarantee at all: epsilon is infinite."""
        return False

    @property
    def poisson(self) -> bool:
        """Whether each release sees a Poisson sample, so that the realised batches must have been checked."""
        return False

    @property
    def sampler(self) -> str:
        """How the units of one release are chosen, in the words of certificates and cards."""
        if self.poisson:
            return "Poisson: every unit joins every release by itself, with the sampling probability"
        return "none: every unit takes part in every release"

    @property
    def merge_key(self) -> Hashable:
        """Mechanisms with equal keys compose to a single one (`merged_with`).

        The default is the mechanism with a count of 1. A class as the key says that the other figures need not agree.
        """
        return replace(self, count=1)

    def merged_with(self, others: Sequence[Self]) -> "Mechanism":
        """The one mechanism that has the composition's privacy loss.

        Args:
            others: mechanisms with the same `merge_key`; may be empty.
        """
        return replace(self, count=self.count + sum(other.count for other in others))


@register
@dataclass(frozen=True)
class Gaussian(Mechanism):
    """Releases of a sum plus N(0, noise_multiplier^2), where one unit changes the sum by at most 1 (L2 sensitivity).

    Unit: one record or one user. Neighbours: add or remove one unit. DP-SGD is this with the clipping norm as the
    unit of the sum (Abadi et al. 2016).

    Args:
        noise_multiplier: sigma over the L2 sensitivity, > 0.
        sampling_probability: q in (0, 1]; in each release every unit joins a Poisson sample independently with this
            probability. 1: everyone takes part.
        count: number of releases, >= 1.
    """

    title: ClassVar[str] = "Gaussian"

    noise_multiplier: float
    sampling_probability: float = 1.0
    count: int = 1

    def pld(self, discretization: float) -> PrivacyLossDistribution:
        """See `Mechanism.pld`; ``discretization`` is the width of a bucket. Without sampling it is exact but for it."""
        if self.sampling_probability == 1:
            # exact, and far faster than composing: ``count`` releases are one with less noise
            noise = self.noise_multiplier / math.sqrt(self.count)
            return distributions.from_gaussian_mechanism(noise, value_discretization_interval=discretization)
        release = distributions.from_gaussian_mechanism(
            self.noise_multiplier,
            sampling_prob=self.sampling_probability,
            value_discretization_interval=discretization,
        )
        return _composed(release, self.count)

    def pld_replacing(self, discretization: float) -> PrivacyLossDistribution:
        """See `Mechanism.pld_replacing`; ``discretization`` is the width of a bucket.

        A replaced unit changes the sum by at most 2. With sampling, both units join the same releases if they share
        their coin, and whether they do is given away here: with probability q the loss is that of a Gaussian at
        distance 2, and else there is none. Hiding the coin can only lower the loss, so this is an upper bound. (Which
        pair of distributions is the worst one under composition is not known: Lebeda, Regehr, Kamath & Steinke 2024,
        "Avoiding pitfalls for privacy accounting of subsampled mechanisms under composition".)
        """
        if self.sampling_probability == 1:
            noise = self.noise_multiplier / (2 * math.sqrt(self.count))
            return distributions.from_gaussian_mechanism(noise, value_discretization_interval=discretization)
        mean = 2 / self.noise_multiplier**2  # the loss is normal with this mean and twice this variance
        spread = math.sqrt(2 * mean)
        low, high = (math.ceil((mean + way * TAIL * spread) / discretization) for way in (-1, 1))
        edges = norm.cdf((np.arange(low, high + 1) * discretization - mean) / spread)
        joined = self.sampling_probability * np.diff(edges, prepend=0.0)  # a loss counts as the upper end of its bucket
        losses = dict(zip(range(low, high + 1), joined.tolist(), strict=True))
        losses[0] = losses.get(0, 0.0) + 1 - self.sampling_probability
        infinite = self.sampling_probability * float(norm.sf((high * discretization - mean) / spread))
        release = PrivacyLossDistribution.create_from_rounded_probability(losses, infinite, discretization)
        return _composed(release, self.count)

    def validate(self) -> None:
        _check_noise("noise_multiplier", self.noise_multiplier)
        probability = self.sampling_probability
        fits = _is_number(probability) and MIN_SAMPLING <= probability <= 1
        _require(fits, "sampling_probability", probability, f"[{MIN_SAMPLING:g}, 1]")
        _check_count("count", self.count)

    @property
    def noise(self) -> float:
        return self.noise_multiplier

    @property
    def unbounded(self) -> bool:
        return self.noise_multiplier == 0

    @property
    def poisson(self) -> bool:
        return self.sampling_probability < 1

    @property
    def merge_key(self) -> Hashable:
        return Gaussian if self.sampling_probability == 1 and not self.unbounded else super().merge_key

    def merged_with(self, others: Sequence[Self]) -> "Mechanism":
        """See `Mechanism.merged_with`.

        Where everyone takes part, the precisions 1/sigma^2 of this and the ``others`` add up (Dong, Roth & Su 2022,
        composition of mu-GDP).
        """
        if self.merge_key is not Gaussian:
            return super().merged_with(others)
        precision = 0.0
        for release in (self, *others):
            precision += release.count / release.noise_multiplier**2
        return Gaussian(1 / math.sqrt(precision))


@register
@dataclass(frozen=True)
class DiscreteGaussian(Mechanism):
    """Releases of integer counts plus discrete Gaussian noise (Canonne, Kamath & Steinke 2020).

    Unit: one record or one user. Neighbours: add or remove one unit. Sampler: none, everyone takes part.

    Args:
        scale: sigma of the noise, > 0.
        sensitivity: what one unit changes in a single count at most, an integer >= 1.
        count: number of releases, >= 1.
    """

    title: ClassVar[str] = "discrete Gaussian"

    scale: float
    sensitivity: int = 1
    count: int = 1

    def pld(self, discretization: float) -> PrivacyLossDistribution:
        """See `Mechanism.pld`; ``discretization`` is the width of a bucket."""
        release = distributions.from_discrete_gaussian_mechanism(
            self.scale, sensitivity=self.sensitivity, value_discretization_interval=discretization
        )
        return _composed(release, self.count)

    def pld_replacing(self, discretization: float) -> PrivacyLossDistribution:
        """See `Mechanism.pld_replacing`; ``discretization`` is the width of a bucket."""
        return replace(self, sensitivity=2 * self.sensitivity).pld(discretization)

    def validate(self) -> None:
        _check_noise("scale", self.scale)
        _check_count("sensitivity", self.sensitivity)
        _check_noise("scale / sensitivity", self.noise)
        _check_count("count", self.count)

    @property
    def noise(self) -> float:
        return self.scale / self.sensitivity

    @property
    def unbounded(self) -> bool:
        return self.scale == 0


@register
@dataclass(frozen=True)
class NonPrivate(Mechanism):
    """An access to the private records with no guarantee at all: epsilon is infinite."""

    title: ClassVar[str] = "none"

    def pld(self, discretization: float) -> PrivacyLossDistribution:
        """There is none at any ``discretization``: ask `unbounded` first."""
        raise TypeError("no privacy loss distribution for NonPrivate: its privacy loss is infinite")

    def pld_replacing(self, discretization: float) -> PrivacyLossDistribution:
        """There is none at any ``discretization``, as of `pld`."""
        return self.pld(discretization)

    def validate(self) -> None:
        """Nothing to refuse: it has no figures."""

    @property
    def noise(self) -> float:
        return 0.0

    @property
    def unbounded(self) -> bool:
        return True

    @property
    def merge_key(self) -> Hashable:
        return NonPrivate

    def merged_with(self, others: Sequence[Self]) -> "Mechanism":
        """This one: with or without ``others`` there is no guarantee."""
        return self


def _composed(release: PrivacyLossDistribution, count: int) -> PrivacyLossDistribution:
    return release.self_compose(count) if count > 1 else release


def _check_noise(name: str, value: object) -> None:
    fits = _is_number(value) and MIN_NOISE_MULTIPLIER <= value <= MAX_NOISE_MULTIPLIER
    _require(fits, name, value, f"[{MIN_NOISE_MULTIPLIER:g}, {MAX_NOISE_MULTIPLIER:g}]")


def _check_count(name: str, value: object) -> None:
    _require(type(value) is int and 1 <= value <= MAX_COUNT, name, value, f"the integers from 1 to {MAX_COUNT:,}")


def _require(fits: bool, name: str, value: object, allowed: str) -> None:
    if not fits:
        raise DoppelError(
            "privacy.impossible_mechanism",
            f"{name} = {value!r:.80} is outside what Doppel's mechanisms can have: {allowed}",
            name=name,
            value=value,
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
