"""Lower bounds on epsilon from one run: what the guesses about m canaries refute.

Each of m canaries is in the train set by a fair coin. An attacker who sees what the mechanism released, and not the
coins, guesses r of them and is right v times. Neighbours: add or remove one canary (one record). Both bounds hold for
every attacker and every mechanism of their class, and however the canaries interfere.

The guesses come from scores: of the canaries, r/2 with the highest score are guessed in, r/2 with the lowest out, the
others are passed over. r is one of `GUESS_SHARES` times m, fixed before any score is seen; every one of them is
tested at beta / len(GUESS_SHARES). If no test at that level wrongly refutes more often than that, the union of them
does so with chance at most beta (Bonferroni): the best of the bounds is a bound at 1 - beta.
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

GUESS_SHARES = (1.0, 0.4, 0.15)  # all, for a large leak; few, where only the clearest scores tell


@dataclass(frozen=True, order=True)
class Bound:
    """epsilon is at least this, at the confidence asked for; from ``correct`` of ``guesses``."""

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
    """The best bound over all `GUESS_SHARES`, wrong with chance at most ``beta``.

    ``scores`` and ``included`` have shape (m,): higher means rather in; whether the coin said in. Equal scores are
    ordered by ``rng``, for their order in the file may follow the coins. ``estimator`` is a key of `ESTIMATORS`.
    """
    scores, included = checked(scores, included)
    if estimator not in ESTIMATORS:
        raise DoppelError(f"estimator is {estimator!r}; it is one of {', '.join(ESTIMATORS)}")
    ordered = included[np.lexsort((rng.random(len(scores)), scores))]
    bounds = []
    for guesses in guess_counts(len(scores)):
        half = guesses // 2
        correct = int(half - ordered[:half].sum() + ordered[-half:].sum())
        level = beta / len(GUESS_SHARES)
        epsilon = ESTIMATORS[estimator](correct, guesses, len(scores), delta=delta, beta=level)
        bounds.append(Bound(epsilon, guesses, correct))
    return max(bounds)


def reach(canaries: int, *, estimator: str, delta: float, beta: float = 0.05) -> float:
    """What `lower_bound` gives when every guess is right: no outcome of so many canaries shows more."""
    level = beta / len(GUESS_SHARES)
    return max(ESTIMATORS[estimator](r, r, canaries, delta=delta, beta=level) for r in guess_counts(canaries))


def guess_counts(canaries: int) -> list[int]:
    """The numbers of guesses that are tested: even, from 2 to m."""
    if canaries < 2:
        raise DoppelError(f"{canaries} canaries: one guess in and one out need at least 2; draw more canaries")
    return [2 * max(1, math.floor(share * canaries / 2)) for share in GUESS_SHARES]


def p_value(correct: int, guesses: int, canaries: int, *, epsilon: float, delta: float) -> float:
    """Chance of at least ``correct`` right guesses under (epsilon, delta)-DP, from above.

    Steinke, Nasr & Jagielski 2023, theorem 5.2: with W ~ Bin(r, e^epsilon / (1 + e^epsilon)), P[W >= v] +
    2 m delta max over i = 1..v of P[v - i <= W < v] / i.
    """
    tails = binom.sf(np.arange(-1, correct), guesses, expit(epsilon))  # P[W >= 0..v]
    steps = np.arange(1, correct + 1)
    loss = np.max((tails[correct - steps] - tails[correct]) / steps, initial=0)
    return float(min(1, tails[correct] + 2 * canaries * delta * loss))


@lru_cache(maxsize=65_536)  # few different counts recur in a simulation
def steinke(correct: int, guesses: int, canaries: int, *, delta: float, beta: float) -> float:
    """The largest epsilon whose `p_value` is at most ``beta``; 0 where none is.

    Whatever is (epsilon', delta)-DP is (epsilon, delta)-DP for every larger epsilon, so one refuted epsilon refutes
    all that are smaller.
    """
    _check(correct, guesses, canaries, delta, beta)
    return _largest(lambda epsilon: p_value(correct, guesses, canaries, epsilon=epsilon, delta=delta) <= beta)


@lru_cache(maxsize=65_536)
def gaussian(correct: int, guesses: int, canaries: int, *, delta: float, beta: float) -> float:
    """Epsilon, at ``delta``, of the largest mu whose Gaussian curve the guesses refute; 0 where none is.

    What is refuted is mu-GDP, the trade-off of N(0, 1) and N(mu, 1) (Dong, Roth & Su 2022). A mechanism whose curve
    is not Gaussian is held to the Gaussian curve through its (epsilon, delta). DP-SGD's own curve is safer than that
    one at every false positive rate that the guesses can resolve (a test compares them).
    """
    _check(correct, guesses, canaries, delta, beta)
    if not delta:
        raise DoppelError("delta = 0: a Gaussian curve has no finite epsilon there; give the delta of the claim")
    mu = _largest(lambda mu: refutes(mu, correct, guesses, canaries, beta))
    return get_epsilon_gaussian(1 / mu, delta) if mu else 0.0


ESTIMATORS: dict[str, Callable[..., float]] = {"steinke": steinke, "gaussian f-DP": gaussian}


def refutes(mu: float, correct: int, guesses: int, canaries: int, beta: float) -> bool:
    """Whether at least ``correct`` right guesses have chance at most ``beta`` under mu-GDP.

    Mahloujifar, Melis & Chaudhuri 2024. Why it holds: let p_i be the chance of i right guesses, R_i the sum of
    t p_t / m over t >= i, and H_i that of (r - t) p_t / m: the chance that at least i guesses are right and one
    canary, drawn at random, is guessed right, or wrong. Flip that canary's coin: its right guess is a wrong one, and
    one less is right in all. So mu-GDP says H_{i-1} >= g(R_i), g(x) = Phi(Phi^-1(x) - mu), on average over coins and
    canaries because g is convex. Suppose P[v or more right] were above beta. Then R_v and H_v start at least as below;
    each step down adds the least that g asks for, p_i = (H_i - H_{i+1}) m / (r - i); and in the end
    R_0 + H_0 = r / m times the sum of all p_i. When that comes out above r / m the supposition was wrong.
    """
    right, wrong = beta * correct / canaries, beta * (guesses - correct) / canaries
    for i in range(correct - 1, -1, -1):
        least = max(wrong, float(ndtr(ndtri(right) - mu)))
        if least == wrong:  # nothing will change any more
            break
        right += i / (guesses - i) * (least - wrong)
        wrong = least
        if right + wrong > guesses / canaries:  # both only grow
            return True
    return False


def _largest(refuted: Callable[[float], bool], precision: float = 1e-4) -> float:
    """The largest value that is refuted, from below; 0 where not even ``precision`` is."""
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
        raise DoppelError(f"{correct} right of {guesses} guesses about {canaries} canaries: each is at most the next")
    if not (0 <= delta < 1 and 0 < beta < 1):
        raise DoppelError(f"delta = {delta}, beta = {beta}: delta lies in [0, 1), beta between 0 and 1")
