"""What it costs to release the best of a random number of tries. A theorem and its figure: no run picks this way yet.

**The mechanism.** Make a try; stop with probability g = 1/tries, else make another. So K >= 1 tries are made, ``tries``
of them on average. The one with the highest score is released, and nothing else: no other try, no score, not K. A try
draws its settings from a list by chances that look neither at the records nor at other tries, then draws fresh noise.
Its score is part of it, so what the score looks at is among its mechanisms. A try that fails is a result with the
lowest score, and is not made again. Equal scores are decided by a coin.

**Theorem.** Unit: one record or one user. Neighbours D and D': add or remove one unit. For a try Q and every t let d(t)
be such that P(Q(D) in S) <= e^t P(Q(D') in S) + d(t) for every set S, and with D and D' exchanged. Let s >= 0 have

    (tries - 1) d(s) <= e^s - 1.

Then the released try A has P(A(D) in S) <= e^(t + 2s) P(A(D') in S) + tries d(t). The same holds for A composed with
other mechanisms of D, if d(t) is of Q composed with them, and d(s) of Q alone, whatever came out before it. They may
run before the tries, which then know their results, or after, knowing of the tries only the one that was released.

**Proof.** Give each try a uniform number in [0, 1], and rank tries by score, then by this number. It is independent of
the records, so d stays; no two tries rank alike; and dropping it at the end is post-processing.

1. Let q(y) and q'(y) be the densities of a try under D and D', F(y) and F'(y) the chances that a try ranks at y or
   below. The best of k has the density k F^(k-1) q. So that of A is phi'(F) q, with phi(x) = E x^K = g x /
   (1 - (1 - g) x), and phi'(x) = g / (1 - (1 - g) x)^2 grows in x up to phi'(1) = 1/g = tries. Under D' alike.
2. 1 - F and 1 - F' are the chances of one set, the results that rank above y. So 1 - F' <= e^s (1 - F) + d(s), and by
   the condition on s, which says (1 - g) d(s) <= g (e^s - 1),

       g + (1 - g)(1 - F') <= g + (1 - g) d(s) + e^s (1 - g)(1 - F) <= e^s (g + (1 - g)(1 - F)).

   As 1 - (1 - g) F = g + (1 - g)(1 - F), this is phi'(F) <= e^(2s) phi'(F').
3. Let b and b' be the densities of what the other mechanisms gave; without any, they are 1. Pointwise, by 2 and 1,

       phi'(F) q b - e^(t + 2s) phi'(F') q' b' <= phi'(F) (q b - e^t q' b') <= tries max(0, q b - e^t q' b').

   The positive part of the left side integrates to the smallest delta of the whole at t + 2s, the right side to tries
   times the smallest delta, at t, of Q composed with the others. D and D' may be exchanged throughout.

**Several settings.** If a try takes the i-th of a list with chance w_i, its d is at most sum_i w_i d_i(t), so at most
the largest d_i(t): which one it took may be seen in the result.

The rule to stop is that of Liu & Talwar 2019, "Private selection from private candidates", whose bound without a delta
is 3 epsilon: here, s = t = epsilon. Papernot & Steinke 2022, "Hyperparameter tuning with Renyi differential privacy",
bound other distributions of K by Renyi divergences; Koskela, Redberg & Wang 2024, "Privacy profiles for private
selection", bound d as it is done here. Figures: ``python benchmarks/guarantee.py``.
"""

import math
from collections.abc import Callable, Sequence

from lib.common.errors import DoppelError
from lib.privacy.accounting import SEARCH_DISCRETIZATION, check_delta, epsilon, profile
from lib.privacy.mechanism import Mechanism

HALVINGS = 50  # of the interval in which s is searched: the last digits of a double


def epsilon_of_best(
    settings: Sequence[Sequence[Mechanism]], *, tries: float, delta: float, others: Sequence[Mechanism] = ()
) -> float:
    """An upper bound on epsilon of releasing the best of a random number of tries, by the theorem above.

    Args:
        settings: for each of the settings that a try may take (one at least), all its mechanisms, the score's included;
            all for the same unit, add or remove one.
        tries: their average number, >= 1; a try is the last with probability 1/tries.
        delta: of the whole, in (0, 1).
        others: what is run once and not for each try, or is released as well; for the same unit.

    Returns:
        Epsilon >= 0; infinity where a mechanism is not private.

    Raises:
        DoppelError: ``tries`` is below 1 or not finite, or ``delta`` is out of its range.
    """
    if not 1 <= tries < math.inf:
        raise DoppelError(
            "privacy.tries_range",
            f"tries = {tries} must be a finite number that is at least 1",
            name="tries",
            value=tries,
            remedy="a try is the last with probability 1/tries",
        )
    check_delta(delta)
    distinct = {tuple(one) for one in settings}
    once = max(epsilon([*others, *one], delta=delta / tries, discretization=SEARCH_DISCRETIZATION) for one in distinct)
    if math.isinf(once):
        return once
    return once + 2 * max(shift(profile(one, discretization=SEARCH_DISCRETIZATION), tries) for one in distinct)


def shift(deltas: Callable[[float], float], tries: float) -> float:
    """The smallest s of the theorem, rounded up: (tries - 1) d(s) <= e^s - 1.

    Args:
        deltas: d, of one try: epsilon >= 0 -> a delta in [0, 1], which never grows with epsilon.
        tries: their average number, >= 1.

    Returns:
        s >= 0. It exists, as d is at most 1.
    """

    def fits(s: float) -> bool:
        return (tries - 1) * deltas(s) <= math.expm1(s)

    low, high = 0.0, math.log(tries)  # e^s - 1 is tries - 1 there
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
