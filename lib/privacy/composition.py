"""Compositions of many charges, and of what a guarantee covers. Light: `verify` imports it."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Literal

from lib.privacy.accounting import SEARCH_DISCRETIZATION, epsilon
from lib.privacy.mechanism import Mechanism

BOTH = "user with one record"  # what charges of both units protect one of
Covers = Literal["this arm", "all arms named for release", "all that was charged"]  # of `lib.privacy.guarantee`


def composed(spent: Sequence[Mechanism], delta: float | None) -> float:
    """Epsilon of a composition; it takes as long as its mechanisms that differ, however often each was charged.

    Args:
        spent: mechanisms for the same unit.
        delta: in (0, 1); not used when ``spent`` is empty.

    Returns:
        Epsilon >= 0, an upper bound.
    """
    return epsilon(merged(spent), delta=delta, discretization=SEARCH_DISCRETIZATION) if spent else 0.0


def merged(spent: Sequence[Mechanism]) -> list[Mechanism]:
    """The same composition in fewer mechanisms (`Mechanism.merged_with`).

    Args:
        spent: mechanisms for the same unit.

    Returns:
        Mechanisms with the same privacy loss: those whose figures did not have to agree first, then each in the order
        in which it first occurs.
    """
    groups: dict[Hashable, list[Mechanism]] = defaultdict(list)
    for mechanism in spent:
        groups[mechanism.merge_key].append(mechanism)
    keys = sorted(groups, key=lambda key: not isinstance(key, type))  # the sum's last digits depend on the order
    return [groups[key][0].merged_with(groups[key][1:]) for key in keys]


def spent(covers: Covers, mechanisms: Sequence[Mechanism], *, delta: float, own: float) -> float:
    """Epsilon of what a guarantee composes, never below the arm's ``own``.

    Args:
        covers: what is composed.
        mechanisms: the composition.
        delta: of the arm, in (0, 1).
        own: epsilon of the arm by itself, at ``delta``.
    """
    if covers == "this arm":
        return own
    return max(own, epsilon(mechanisms, delta=delta, discretization=SEARCH_DISCRETIZATION))
