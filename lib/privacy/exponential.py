"""The exponential mechanism, released many times over, and the exact price of choices that look at what came before.

**The mechanism.** One release draws a token v with probability proportional to exp(score(v) / temperature). One unit
changes each score by at most 1 in the units used here, so ``noise_multiplier`` is the temperature over the most that
one unit changes a score. Scores, tokens to choose from and temperature may follow from all that was released before.

**One release has a bounded range** of eta = 2 / ``noise_multiplier`` (Dong, Durfee & Rogers 2020, arXiv:1909.13830,
"Optimal differential privacy composition for exponential mechanisms and the cost of adaptivity"). Let p and q be the
distributions of neighbours and x(v) in [-1, 1] the change of a score. Then log p(v) / q(v) is x(v) / noise_multiplier
less a constant that is the same for every v. So all values of log p / q lie in an interval [t - eta, t] of width eta,
with some t that depends on the scores. As p and q both sum to 1, 0 lies in it: t is in [0, eta]. The same holds with p
and q exchanged.

**Theorem.** Let H_T(s) be the largest that sum max(0, p - s q) over all outcomes can be, for p and q the distributions
of T such releases under neighbours, each chosen by whatever was released before. With c = e^eta,

    H_0(s) = max(0, 1 - s),   H_T(s) = max over a in [s / c, s] of  w H_{T-1}(a) + (1 - w) H_{T-1}(a c),

where w = (a c - s) / (a c - a), so that w a + (1 - w) a c = s. Then T releases are (epsilon, H_T(e^epsilon))-DP, and no
smaller delta holds for all of them.

**Proof.** By induction over T. H_{T-1} is convex and falls in s, as a largest value of such functions. Split T releases
into the first, v, and the rest, whose distributions p_v and q_v are those of T - 1 releases, chosen by v. Then

    sum over all max(0, p(v) p_v - s q(v) q_v) = sum over v of p(v) sum max(0, p_v - s (q(v) / p(v)) q_v)
                                              <= sum over v of p(v) H_{T-1}(s q(v) / p(v)),

with equality where the rest is the worst for v. Let X = s q(v) / p(v), with v from p: its mean is s, and it lies in an
interval [a, a c], because of the bounded range. As the mean is in it, a is in [s / c, s]. A convex function of such an
X has the largest mean where X takes the two ends alone, a with probability w. Two tokens with these ratios have
possible scores, so the bound is reached. (In log s this is the recursion of Dong, Durfee & Rogers for adaptive
choices.) Adaptive choices cost something: the split t that is worst depends on what was lost so far, and all T releases
at one t lose less.

**In use.** H_T falls, is convex, is 1 at 0 and at least 1 - s, so it is the profile of a pair of distributions, which
dominates every T releases (Zhu, Dong & Wang 2022, arXiv:2106.08567). Pairs that dominate compose, adaptively too: this
is the privacy loss distribution that the accountant composes with those of other mechanisms. The usual bound, zCDP with
rho = T / (2 noise_multiplier^2) (Bun & Steinke 2016; Cesar & Rogers 2021), is looser: 8.6 where this says 7.9.

**Numerically** nothing is optimistic but for rounding of double precision (about T 1e-16 of delta). H is kept at points
s_i = e^(i eta / `CELLS`) and taken as a straight line in s between them, which lies above a convex function. Left of
the first point the line goes to H(0) = 1, right of the last H stays what it is there. On lines, the maximum over a has
a closed form (`_step`). If a is a point, so is a c, and lines are needed only between points. More than `BLOCK`
releases are composed from blocks, each of which is dominated by its own pair.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
from dp_accounting.pld.pld_pmf import create_pmf_pessimistic_connect_dots_fixed_gap
from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution
from scipy.special import expit
from scipy.stats import binom

from lib.privacy.mechanism import Auditable, check_count, check_noise, composed, register

CELLS = 16  # points of the profile over eta: twice as many lower epsilon by 0.2%
BLOCK = 64  # releases whose worst choices are followed exactly
DEVIATIONS = 12  # standard deviations of the privacy loss that the points cover: a chance of 2e-33 lies beyond
MAX_LOSS = 400.0  # no point is further out; no statement with such an epsilon is recomputed


@register
@dataclass(frozen=True)
class Exponential(Auditable):
    """Releases by the exponential mechanism (McSherry & Talwar 2007), each chosen by what was released before.

    Unit: one record or one user. Neighbours: add or remove one unit, which changes each score by at most 1 (L-infinity
    sensitivity). Units are parted into batches: a unit takes part in the releases of one batch alone, whichever other
    units there are, so ``count`` is that of one batch, however many batches there are (parallel composition; McSherry
    2009). Proof of the privacy loss: the module's docstring.

    Args:
        noise_multiplier: temperature over what one unit can change a score, > 0.
        count: number of releases that one unit takes part in, >= 1.
    """

    title: ClassVar[str] = "exponential"

    noise_multiplier: float
    count: int = 1

    def pld(self, discretization: float) -> PrivacyLossDistribution:
        """See `Mechanism.pld`; ``discretization`` is the width of a bucket. It holds for adaptive choices."""
        return _loss(2 / self.noise_multiplier, self.count, discretization)

    def pld_replacing(self, discretization: float) -> PrivacyLossDistribution:
        """See `Mechanism.pld_replacing`; ``discretization`` is the width of a bucket.

        Where both units are in one batch, a score changes by at most 2: ``count`` releases of a range of 2 eta. Where
        they are in two, take the i-th release of either batch as one. Neither batch looks at the other, so what was
        released before fixes both their intervals; the sum of two losses lies in an interval of width 2 eta again, and
        the same bound holds.
        """
        return replace(self, noise_multiplier=self.noise_multiplier / 2).pld(discretization)

    def epsilon_at_least(self, delta: float) -> float:
        """See `Auditable.epsilon_at_least`: at ``delta``, for the pair that `ideal_scores` draws, exactly."""
        tokens = np.arange(self.count + 1)
        inside, outside = (binom.pmf(tokens, self.count, chance) for chance in (self._chance, 0.5))

        def exceeded(epsilon: float) -> bool:
            pairs = ((inside, outside), (outside, inside))
            return max(np.maximum(0, p - math.exp(epsilon) * q).sum() for p, q in pairs) > delta

        low, high = 0.0, min(2 * self.count / self.noise_multiplier, MAX_LOSS)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if exceeded(middle) else (low, middle)
        return low

    def ideal_scores(self, included: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """See `Auditable.ideal_scores`: each of ``included`` is one unit of a batch, drawn from with ``rng``.

        Two tokens are equally likely without the unit, which raises the score of one by 1 and lowers that of the other.
        """
        raised = rng.binomial(self.count, np.where(included, self._chance, 0.5))
        return self.log_likelihood_ratio(raised)

    def log_likelihood_ratio(self, raised: np.ndarray) -> np.ndarray:
        """The score of canaries of two tokens that are equally likely without them.

        Args:
            raised: how often the token came whose score the canary raises, of ``count``; int, any shape.

        Returns:
            Log of the probability if in over that if out, in nats, of the same shape.
        """
        push = 1 / self.noise_multiplier
        return (2 * raised - self.count) * push - self.count * (np.logaddexp(push, -push) - math.log(2))

    @property
    def _chance(self) -> float:
        """Of the token whose score a canary raises, if the canary is in."""
        return float(expit(2 / self.noise_multiplier))

    def validate(self) -> None:
        check_noise("noise_multiplier", self.noise_multiplier)
        check_count("count", self.count)

    @property
    def noise(self) -> float:
        return self.noise_multiplier

    @property
    def unbounded(self) -> bool:
        return self.noise_multiplier == 0

    @property
    def rounding(self) -> str:
        return "Tokens are drawn with probabilities of double precision; the noise of counts is sampled exactly."

    @property
    def divides(self) -> bool:
        return True

    @property
    def sampler(self) -> str:
        return "none: every unit takes part in one batch, which follows from the unit itself, and in all its releases"


@lru_cache(maxsize=64)
def _loss(eta: float, count: int, discretization: float) -> PrivacyLossDistribution:
    """The privacy loss distribution of ``count`` adaptive releases with a range of ``eta``."""
    blocks, rest = divmod(count, BLOCK)
    if not blocks:
        return _block(eta, rest, discretization)
    whole = composed(_block(eta, BLOCK, discretization), blocks)
    return whole.compose(_block(eta, rest, discretization)) if rest else whole


def _block(eta: float, count: int, discretization: float) -> PrivacyLossDistribution:
    """The same for at most `BLOCK` releases: the profile as a distribution, by connecting its dots."""
    points, deltas = profile(eta, count)
    ends = math.ceil(math.log(points[-1]) / discretization)
    at = np.exp(np.arange(-ends, ends + 1) * discretization)
    bounds = np.interp(at, np.concatenate([[0.0], points]), np.concatenate([[1.0], deltas]))
    return PrivacyLossDistribution(create_pmf_pessimistic_connect_dots_fixed_gap(discretization, -ends, ends, bounds))


def profile(eta: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """An upper bound on the largest delta of adaptive releases by exponential mechanisms, the H_T of the theorem.

    Args:
        eta: the range of one release, twice the inverse of the noise multiplier; above 0.
        count: T, how many releases; at least 1. Time and memory grow with it: see `BLOCK`.

    Returns:
        Points s = e^epsilon, rising, shape (n,), and the bound on delta at each, falling, shape (n,). Straight lines in
        s between points are a bound too.
    """
    mu = eta * math.sqrt(count) / 2  # many releases lose about as much as a Gaussian mechanism of this mu
    furthest = min(count * eta, mu**2 / 2 + DEVIATIONS * mu + eta, MAX_LOSS)
    steps = math.ceil(furthest / eta * CELLS)
    points = np.exp(np.arange(-steps - CELLS, steps + CELLS + 1) * (eta / CELLS))
    deltas = np.maximum(0, 1 - points)
    for _ in range(count):
        deltas = _step(points, deltas, math.exp(eta))
    return points[CELLS:-CELLS], deltas[CELLS:-CELLS]


def _step(points: np.ndarray, deltas: np.ndarray, c: float) -> np.ndarray:
    """One release more: H_T at ``points`` from ``deltas``, which are H_{T-1} there; `CELLS` on either end are margins.

    On two pieces that are lines, H(a) = h0 + b0 a and H(a c) = h1 + b1 a c, the value is -A a - C / a + constant, up to
    the factor 1 / (c - 1), with A = c (b1 - b0) and C = s (h0 - h1). Neither is negative, as H is convex. So it is
    largest at a = sqrt(C / A), or at the end of the piece that is nearest.
    """
    slopes = np.diff(deltas) / np.diff(points)
    heights = deltas[:-1] - slopes * points[:-1]  # of the lines at 0
    inner = np.arange(CELLS, len(points) - CELLS)[:, None]
    lower = inner - CELLS + np.arange(CELLS)  # pieces that a may be in; a c is in the piece that is CELLS further on
    upper, s = lower + CELLS, points[inner]
    falling = c * np.maximum(slopes[upper] - slopes[lower], 0)
    best = np.sqrt(s * np.maximum(heights[lower] - heights[upper], 0) / np.where(falling > 0, falling, 1))
    a = np.clip(np.where(falling > 0, best, points[lower]), points[lower], points[lower + 1])
    b = np.clip(a * c, points[upper], points[upper + 1])
    weight = (b - s) / (b - a)
    at_a = deltas[lower] + slopes[lower] * (a - points[lower])
    at_b = deltas[upper] + slopes[upper] * (b - points[upper])
    largest = (weight * at_a + (1 - weight) * at_b).max(1)
    inside = points[inner[:, 0]]
    bound = np.minimum.accumulate(np.clip(largest, np.maximum(0, 1 - inside), 1))
    left = 1 - (1 - bound[0]) * points[:CELLS] / inside[0]
    return np.concatenate([left, bound, np.full(CELLS, bound[-1])])
