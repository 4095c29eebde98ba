"""Lower bounds on epsilon from a single run: what the guesses about m canaries refute.

Each of m canaries is put into the train set by an independent fair coin. An attacker who sees everything that the
mechanism released, but not the coins, guesses r of them and is right v times. Neighbouring datasets: add or remove one
canary, which is one record with an owner of its own, so one record and one user alike. Both bounds hold for every
attacker and every mechanism of their class, however the canaries affect each other.

Guesses are made from scores: the r / 2 canaries with the highest scores are guessed in, the r / 2 with the lowest are
guessed out, the others are passed over. r is a share of m from `GUESS_SHARES`, fixed before any score is seen, and
each r is tested at the level beta / len(GUESS_SHARES). So the best of the bounds is wrong with chance at most beta
(Bonferroni).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from dp_accounting import get_epsilon_gaussian
from scipy.special import expit, ndtr, ndtri
from scipy.stats import binom

from lib.audit.membership import checked
from lib.common.errors import DoppelError

GUESS_SHARES = (1.0, 0.4, 0.15)  # all guesses suit a large leak; few suit a leak that only the clearest scores show


@dataclass(frozen=True, order=True)
class Bound:
    """A lower bound on epsilon, at the confidence that was asked for.

    Attributes:
        epsilon: the bound, at least 0; 0 shows nothing.
        guesses: r, how many canaries were guessed.
        correct: v, how many of the guesses were right.
    """

    epsilon: float
    guesses: int
    correct: int


def lower_bound(
    scores: np.ndarray,
    included: np.ndarray,
    *,
    estimator: str,
    delta: float,
    beta: float = 0.05,
    rng: np.random.Generator,
) -> Bound:
    """The best bound over all `GUESS_SHARES`.

    Args:
        scores: shape (m,), m at least 2; higher means rather in.
        included: the coins, bool, shape (m,); some True and some False.
        estimator: a key of `ESTIMATORS`.
        delta: at which epsilon is bounded, in [0, 1); above 0 for ``gaussian f-DP``.
        beta: the highest chance, over coins and mechanism, that the bound is above the true epsilon; in (0, 1).
        rng: orders equal scores, because their order in a file may follow the coins.

    Returns:
        The largest epsilon, with the guesses that it rests on.

    Raises:
        DoppelError: ``estimator`` is unknown, a number is out of range, or scores and coins cannot be compared
            (`lib.audit.membership.checked`).
    """
    scores, included = checked(scores, included)
    if estimator not in ESTIMATORS:
        raise DoppelError(
            "audit.estimator_unknown",
            f"estimator is {estimator!r}",
            name="estimator",
            value=estimator,
            remedy=f"take one of {', '.join(ESTIMATORS)}",
        )
    ascending = included[np.lexsort((rng.random(len(scores)), scores))]
    bounds = []
    for guesses in guess_counts(len(scores)):
        half = guesses // 2
        correct = int(half - ascending[:half].sum() + ascending[-half:].sum())
        level = beta / len(GUESS_SHARES)
        epsilon = ESTIMATORS[estimator](correct, guesses, len(scores), delta=delta, beta=level)
        bounds.append(Bound(epsilon, guesses, correct))
    return max(bounds)


def reach(canaries: int, *, estimator: str, delta: float, beta: float = 0.05) -> float:
    """The epsilon that `lower_bound` gives when every guess is right; no outcome of so many canaries shows more.

    Args:
        canaries: m, at least 2.
        estimator: a key of `ESTIMATORS`.
        delta: at which epsilon is bounded, in [0, 1); above 0 for ``gaussian f-DP``.
        beta: the highest chance that a bound is wrong, in (0, 1).

    Raises:
        DoppelError: a number is out of range.
    """
    level = beta / len(GUESS_SHARES)
    return max(ESTIMATORS[estimator](r, r, canaries, delta=delta, beta=level) for r in guess_counts(canaries))


def guess_counts(canaries: int) -> list[int]:
    """The numbers of guesses r that are tested: each of `GUESS_SHARES` times m, rounded down to an even number, >= 2.

    Args:
        canaries: m, at least 2.

    Raises:
        DoppelError: there are fewer than 2 canaries.
    """
    if canaries < 2:
        raise DoppelError(
            "audit.canaries_too_few",
            f"{canaries} canaries: one guess in and one out need at least 2",
            name="canaries",
            value=canaries,
            remedy="draw more canaries",
        )
    return [2 * max(1, math.floor(share * canaries / 2)) for share in GUESS_SHARES]


def p_value(correct: int, guesses: int, canaries: int, *, epsilon: float, delta: float) -> float:
    """Upper bound on the chance of at least v right guesses under (epsilon, delta)-DP.

    Steinke, Nasr & Jagielski 2023, "Privacy Auditing with One (1) Training Run" (arXiv:2305.08846), theorem 5.2: with
    W ~ Binomial(r, e^epsilon / (1 + e^epsilon)),

        P[W >= v] + 2 m delta max over i = 1..v of P[v - i <= W < v] / i.

    Args:
        correct: v, from 0 to r.
        guesses: r, at most m.
        canaries: m.
        epsilon: at least 0.
        delta: in [0, 1).

    Returns:
        The bound, in [0, 1].
    """
    tails = binom.sf(np.arange(-1, correct), guesses, expit(epsilon))  # P[W >= 0], ..., P[W >= v]
    steps = np.arange(1, correct + 1)
    largest = np.max((tails[correct - steps] - tails[correct]) / steps, initial=0)
    return float(min(1, tails[correct] + 2 * canaries * delta * largest))


@lru_cache(maxsize=65_536)  # the same few counts recur in a simulation
def steinke(correct: int, guesses: int, canaries: int, *, delta: float, beta: float) -> float:
    """Lower bound on epsilon at ``delta`` for any mechanism: the largest epsilon whose `p_value` is at most ``beta``.

    A mechanism that is (epsilon, delta)-DP is so for every larger epsilon too. So an epsilon that is refuted refutes
    every smaller one.

    Args:
        correct: v, from 0 to r.
        guesses: r, at most m.
        canaries: m.
        delta: in [0, 1).
        beta: the level of the test, in (0, 1).

    Returns:
        The bound, at most 1e-4 too small; 0 where no epsilon is refuted.

    Raises:
        DoppelError: a number is out of range.
    """
    _check(correct, guesses, canaries, delta, beta)
    return _largest_refuted(lambda epsilon: p_value(correct, guesses, canaries, epsilon=epsilon, delta=delta) <= beta)


@lru_cache(maxsize=65_536)
def gaussian(correct: int, guesses: int, canaries: int, *, delta: float, beta: float) -> float:
    """Lower bound on epsilon at ``delta`` for Gaussian mechanisms: that of the largest mu-GDP that `refutes`.

    mu-GDP bounds the trade-off curve by that of N(0, 1) against N(mu, 1) (Dong, Roth & Su 2022, arXiv:1905.02383). For
    another mechanism with a claim (epsilon, delta) the test assumes that its curve is no worse than the Gaussian curve
    with the same epsilon at the same delta. For DP-SGD this holds at every false positive rate that the guesses can
    resolve; a test compares the curves.

    Args:
        correct: v, from 0 to r.
        guesses: r, at most m.
        canaries: m.
        delta: in (0, 1).
        beta: the level of the test, in (0, 1).

    Returns:
        The bound (of a mu at most 1e-4 too small); 0 where no mu is refuted.

    Raises:
        DoppelError: a number is out of range.
    """
    _check(correct, guesses, canaries, delta, beta)
    if not delta:
        raise DoppelError(
            "audit.delta_zero",
            "delta = 0: a Gaussian mechanism has no finite epsilon there",
            name="delta",
            value=delta,
            remedy="give the delta of the claim",
        )
    mu = _largest_refuted(lambda mu: refutes(mu, correct, guesses, canaries, beta))
    return get_epsilon_gaussian(1 / mu, delta) if mu else 0.0


ESTIMATORS: dict[str, Callable[..., float]] = {"steinke": steinke, "gaussian f-DP": gaussian}


def refutes(mu: float, correct: int, guesses: int, canaries: int, beta: float) -> bool:
    """Whether v or more right guesses have chance at most ``beta`` under mu-GDP.

    Mahloujifar, Melis & Chaudhuri 2024, "Auditing f-Differential Privacy in One Run" (arXiv:2410.22235). Why it holds:

    1. Let p_t be the chance of exactly t right guesses, R_i the sum of t p_t / m over t >= i, and H_i the sum of
       (r - t) p_t / m over t >= i. These are the chances that at least i guesses are right, and a canary drawn at
       random is guessed right (R_i) or wrong (H_i).
    2. Flip that canary's coin: its right guess becomes a wrong one, and one guess fewer is right in all. So mu-GDP
       gives H_{i-1} >= g(R_i) with g(x) = Phi(Phi^-1(x) - mu); g is convex, so this holds for the average over coins
       and canaries.
    3. Suppose that P[v or more right] were at least beta. Because g is convex and g(0) = 0, all p_t can be scaled down
       until it is exactly beta, and every inequality still holds.
    4. The total R_0 + H_0 is then smallest when all of beta lies on exactly v right guesses: R_v = beta v / m and
       H_v = beta (r - v) / m. From there each step down adds the least that g asks for,
       p_i = (H_i - H_{i+1}) m / (r - i).
    5. But R_0 + H_0 is r / m times the sum of all p_t, so at most r / m. If even the smallest total is above that, the
       supposition was wrong.

    Args:
        mu: of the Gaussian trade-off curve (sensitivity over noise), above 0.
        correct: v, from 0 to r.
        guesses: r, at most m.
        canaries: m.
        beta: in (0, 1).
    """
    right, wrong = beta * correct / canaries, beta * (guesses - correct) / canaries  # R_i and H_i, from i = v down
    for i in range(correct - 1, -1, -1):
        least = max(wrong, float(ndtr(ndtri(right) - mu)))
        if least == wrong:  # neither sum changes from here on
            break
        right += i / (guesses - i) * (least - wrong)
        wrong = least
        if right + wrong > guesses / canaries:  # neither sum ever decreases
            return True
    return False


def _largest_refuted(refuted: Callable[[float], bool], precision: float = 1e-4) -> float:
    """The largest value that is refuted, rounded down by at most ``precision``; 0 where not even that is refuted."""
    if not refuted(precision):
        return 0.0
    low, high = precision, 1.0
    while refuted(high):
        low, high = high, 2 * high
    while high - low > precision:
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def _check(correct: int, guesses: int, canaries: int, delta: float, beta: float) -> None:
    if not 0 <= correct <= guesses <= canaries:
        raise DoppelError(
            "audit.guess_numbers",
            f"{correct} right of {guesses} guesses about {canaries} canaries: each number may be at most the next",
            name="correct",
            value=(correct, guesses, canaries),
        )
    if not 0 <= delta < 1:
        raise DoppelError(
            "audit.delta_out_of_range", f"delta = {delta}, it must be at least 0 and below 1", name="delta", value=delta
        )
    if not 0 < beta < 1:
        raise DoppelError(
            "audit.beta_out_of_range", f"beta = {beta}, it must lie between 0 and 1", name="beta", value=beta
        )
