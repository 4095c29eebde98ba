"""Lower bounds on epsilon from canaries that do not disturb each other, by the mechanism's own trade-off curve.

A canary is a unit that is in or out; its score is a number that follows from what the mechanism released. The test
"a score above t means in" has a false positive rate a (canaries that are out) and a false negative rate b (canaries
that are in). A mechanism with trade-off curve f has b >= f(a) for every test (Dong, Roth & Su 2022, arXiv:1905.02383).
So two measured rates below f refute f. Unit: that of the mechanism. Neighbours: add or remove one unit.

The curves that are tried are those of the mechanism that was claimed with more noise, or less. For `Gaussian(sigma, q,
T)`, f_s is the curve of T draws of N(0, s^2) against T draws of (1 - q) N(0, s^2) + q N(1, s^2), with s in place of
sigma. This pair dominates adding a unit, and in reverse order removing one (Zhu, Dong & Wang 2022, arXiv:2106.08567).
Reversing the pair inverts the curve, so one region of (a, b) speaks of both directions. For `Exponential(s, T)`, f_s is
the curve below those of all such mechanisms (`lib.privacy.exponential`), the same in both directions.

Why `lower_bound` is above the true epsilon with chance at most beta:

1. Each canary has coordinates of its own, units join batches independently, and the noise of coordinates is
   independent. So false positives and false negatives are binomial. The K thresholds are fixed before any score is
   seen. For each, Clopper and Pearson's (1934) upper limits a_u and b_u are made at the level beta / (2 K). All 2 K
   rates are at most their limits with chance 1 - beta (Bonferroni). From here on they are.
2. Where f_s(a_u) > b_u: f_s falls, so f_s(a) >= f_s(a_u) > b_u >= b, and no mechanism of curve f_s has these rates. If
   the mechanism is of the claimed kind with noise s', then s' < s, because more noise never lowers the curve.
3. `curve` is never above f_s. Every epsilon e >= 0 with delta d(e) gives b >= 1 - d(e) - e^e a and, by the other
   direction, b >= e^-e (1 - d(e) - a); f_s is the largest of these over all e. Here d(e) is the delta of a pessimistic
   privacy loss distribution (for the worse direction), which is never too small, and e runs over a grid.
4. `Auditable.epsilon_at_least` is never above the epsilon of noise s. With 2: the epsilon of the mechanism's kind and
   noise is above the bound that is stated.

A mechanism of another kind (a wrong sampler, say) that reads a bound of 5 is easier to attack than every one of the
claimed kind with an epsilon up to 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.stats import beta as beta_distribution

from lib.audit.membership import checked
from lib.common.errors import DoppelError
from lib.privacy.mechanism import Auditable

RATIO = 1.005  # between neighbouring noises that are tried: some 1% of epsilon
LEAST, MOST = -180, 700  # powers of `RATIO`: from 0.4 to 33 times the claimed noise
GRID = np.arange(0, 16, 0.01)  # epsilons e of the lines; a slope e^e above 1 / a_u says nothing
WIDTH = 5e-3  # of a bucket of privacy loss; wider lowers the curve


@dataclass(frozen=True, order=True)
class RateBound:
    """A lower bound on epsilon with the rates that it rests on.

    Attributes:
        epsilon: the bound, at least 0; 0 shows nothing.
        threshold: a score above it says in.
        false_positives: canaries that are out and score above the threshold.
        outside: canaries that are out.
        false_negatives: canaries that are in and do not score above it.
        inside: canaries that are in.
    """

    epsilon: float
    threshold: float
    false_positives: int
    outside: int
    false_negatives: int
    inside: int


def lower_bound(
    scores: np.ndarray,
    included: np.ndarray,
    *,
    thresholds: Sequence[float],
    mechanism: Auditable,
    delta: float,
    beta: float = 0.05,
) -> RateBound:
    """The largest epsilon that the rates of false positives and false negatives refute; the proof is above.

    Args:
        scores: of m canaries, shape (m,); higher means rather in.
        included: whether each is in, bool, shape (m,); some True and some False.
        thresholds: K of them, chosen before any score is seen.
        mechanism: the one that is claimed; curves with its q and T and other noise are tried.
        delta: at which epsilon is stated, in (0, 1).
        beta: the highest chance that the bound is above the true epsilon, in (0, 1).

    Returns:
        The best bound over the thresholds. It is at most the epsilon of 0.4 times the claimed noise.

    Raises:
        DoppelError: there are no thresholds, or scores and coins cannot be compared (`lib.audit.membership.checked`).
    """
    scores, included = checked(scores, included)
    if not len(thresholds):
        raise DoppelError("audit.no_threshold", "no threshold to test", name="thresholds", value=0)
    inside, outside = scores[included], scores[~included]
    counts = [(float(t), int((outside > t).sum()), int((inside <= t).sum())) for t in thresholds]
    return best_bound(counts, len(outside), len(inside), mechanism=mechanism, delta=delta, beta=beta)


def best_bound(
    counts: Sequence[tuple[float, int, int]],
    outside: int,
    inside: int,
    *,
    mechanism: Auditable,
    delta: float,
    beta: float,
) -> RateBound:
    """`lower_bound` from counts.

    Args:
        counts: for each threshold: itself, false positives, false negatives.
        outside: canaries that are out, at least 1.
        inside: canaries that are in, at least 1.
        mechanism: as in `lower_bound`.
        delta: as in `lower_bound`.
        beta: as in `lower_bound`.
    """
    level, tried = beta / (2 * len(counts)), []
    for count in counts:
        _, false_positives, false_negatives = count
        rates = upper_limit(false_positives, outside, level), upper_limit(false_negatives, inside, level)
        tried.append((_least_refuted(mechanism, *rates), count))
    power, (threshold, false_positives, false_negatives) = min(tried)
    epsilon = 0.0 if power > MOST else _epsilon_at_least(_with_noise(mechanism, power), delta)
    return RateBound(epsilon, threshold, false_positives, outside, false_negatives, inside)


def upper_limit(count: int, of: int, level: float) -> float:
    """Clopper and Pearson's upper limit of a probability.

    Args:
        count: successes, from 0 to ``of``.
        of: independent trials, at least 1.
        level: the highest chance that the limit is below the probability, in (0, 1).
    """
    return 1.0 if count == of else float(beta_distribution.ppf(1 - level, count + 1, of - count))


def curve(mechanism: Auditable, false_positive_rate: float) -> float:
    """A lower bound on the false negative rate of every test with at most this false positive rate; 3 of the proof.

    Args:
        mechanism: with noise.
        false_positive_rate: in [0, 1].

    Returns:
        The rate, in [0, 1].
    """
    one = 1 - _deltas(mechanism)
    slopes = np.exp(GRID)
    lines = np.maximum(one - slopes * false_positive_rate, (one - false_positive_rate) / slopes)
    return max(0.0, float(lines.max()))


@lru_cache(maxsize=4096)
def _epsilon_at_least(mechanism: Auditable, delta: float) -> float:
    return mechanism.epsilon_at_least(delta)


@lru_cache(maxsize=4096)
def _deltas(mechanism: Auditable) -> np.ndarray:
    """Delta at each epsilon of `GRID`, never too small."""
    return np.minimum(1.0, np.asarray(mechanism.pld(WIDTH).get_delta_for_epsilon(GRID)))


def _with_noise(mechanism: Auditable, power: int) -> Auditable:
    return replace(mechanism, noise_multiplier=mechanism.noise_multiplier * RATIO**power)


def _least_refuted(mechanism: Auditable, false_positive_rate: float, false_negative_rate: float) -> int:
    """The least noise that two rates refute, as a power of `RATIO`; above `MOST` where they refute none.

    A search by halves: were refutation not monotone by a rounding, it still returns a noise that is refuted.
    """

    def refuted(power: int) -> bool:
        return curve(_with_noise(mechanism, power), false_positive_rate) > false_negative_rate

    if not refuted(MOST):
        return MOST + 1
    low, high = LEAST - 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refuted(middle) else (middle, high)
    return high
