"""The kinds of mechanism that add noise to sums and counts, and the one without any guarantee.

What the rest of the code asks of a kind is in `lib.privacy.mechanism`; the exponential mechanism has a file of its own
(`lib.privacy.exponential`).
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from dp_accounting.pld import privacy_loss_distribution as distributions
from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution
from scipy.stats import norm

from lib.privacy.mechanism import Auditable, Mechanism, check_count, check_noise, composed, is_number, register, require

TAIL = 12.0  # standard deviations of a privacy loss beyond which it counts as infinite: a chance of 2e-33
WIDTH = 5e-3  # of a bucket of privacy loss in a lower bound on epsilon; wider lowers it
LOST = 0.02  # of such a bound, the most that rounding every release's loss down may take off
MIN_SAMPLING = 1e-9  # sampling probability: below, no release of any corpus sees a unit


@register
@dataclass(frozen=True)
class Gaussian(Auditable):
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
        return composed(release, self.count)

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
        return composed(release, self.count)

    def validate(self) -> None:
        check_noise("noise_multiplier", self.noise_multiplier)
        probability = self.sampling_probability
        fits = is_number(probability) and MIN_SAMPLING <= probability <= 1
        require(fits, "sampling_probability", probability, f"[{MIN_SAMPLING:g}, 1]")
        check_count("count", self.count)

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
    def rounding(self) -> str | None:
        """See `Mechanism.rounding`. Releases that everyone takes part in are votes, whose noise is discrete."""
        if not self.poisson:
            return None
        return "The noise in training is a Gaussian of double precision, rounded; that of counts is sampled exactly."

    def epsilon_at_least(self, delta: float) -> float:
        """See `Auditable.epsilon_at_least`: at ``delta``, by an optimistic privacy loss distribution."""
        sampled = self.poisson
        release = distributions.from_gaussian_mechanism(
            self.noise_multiplier / (1 if sampled else math.sqrt(self.count)),
            sampling_prob=self.sampling_probability,
            value_discretization_interval=min(WIDTH, LOST / self.count),
            pessimistic_estimate=False,
            use_connect_dots=False,
        )
        return max(0.0, float(composed(release, self.count if sampled else 1).get_epsilon_for_delta(delta)))

    def log_likelihood_ratio(self, released: np.ndarray) -> np.ndarray:
        """The score of canaries by one release: log of the density if in over the density if out.

        Args:
            released: what was released about each canary, in units of what one unit can change, any shape.

        Returns:
            The log likelihood ratios in nats, of the same shape; higher means rather in.
        """
        q, loss = self.sampling_probability, (released - 0.5) / self.noise_multiplier**2
        return loss if q == 1 else np.logaddexp(math.log1p(-q), math.log(q) + loss)

    def ideal_scores(self, included: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See `Auditable.ideal_scores`: each release about one of ``included`` is drawn as claimed, with ``rng``."""
        total = np.zeros(len(included))
        for _ in range(self.count):
            joined = included & (rng.random(len(included)) < self.sampling_probability)
            total += self.log_likelihood_ratio(rng.normal(0, self.noise_multiplier, len(included)) + joined)
        return total

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
        return composed(release, self.count)

    def pld_replacing(self, discretization: float) -> PrivacyLossDistribution:
        """See `Mechanism.pld_replacing`; ``discretization`` is the width of a bucket."""
        return replace(self, sensitivity=2 * self.sensitivity).pld(discretization)

    def validate(self) -> None:
        check_noise("scale", self.scale)
        check_count("sensitivity", self.sensitivity)
        check_noise("scale / sensitivity", self.noise)
        check_count("count", self.count)

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
