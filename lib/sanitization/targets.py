"""Which attributes a text is not to tell any more, which it is to tell less exactly, and which it must keep.

As in Privasis (arXiv 2602.03183, section 4), but for three faults of its code: a target is drawn once (there the
weights stand where ``replace`` does), draws have a seed, and targets go by the attribute's name, so that two with one
value differ.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from random import Random

from lib.private_records.schema import Attribute, Group
from lib.sanitization.schema import Targets

SHARE_OF_GROUPS = {"abstract": 0.5, "drop": 0.7}  # of the draws, those of a whole group
BETA = (2.0, 5.0)  # of the number of draws, as a share of half the groups
LEAST_WEIGHT = 0.3  # of the rank r: this + 1/r


def weights(order: Sequence[str]) -> dict[str, float]:
    """The weight of each attribute by its rank: .3 + 1/rank, and 0 for the lowest third.

    Args:
        order: names of all attributes, the most sensitive first.
    """
    counted = len(order) - len(order) // 3
    return {name: LEAST_WEIGHT + 1 / rank if rank <= counted else 0.0 for rank, name in enumerate(order, 1)}


def draw(
    attributes: Sequence[Attribute],
    groups: Sequence[Group],
    tied: Mapping[str, Collection[str]],
    weight: Mapping[str, float],
    rng: Random,
) -> Targets:
    """Draw the targets of a record, without replacement.

    How often is drawn: Beta(2, 5) times half the number of groups (of one at least), rounded up for ``abstract``, to
    the nearest for ``drop``. Each draw takes a whole group with `SHARE_OF_GROUPS`, else one attribute; where there is
    none of a kind left, one of the other. A group weighs as much as the heaviest of its attributes. One or two of the
    other attributes are kept, drawn evenly.

    Args:
        attributes: that the text tells; at least one.
        groups: of them.
        tied: name -> others that must not be treated in another way, see `lib.sanitization.told.conflicts`: what is
            tied to an abstract target is never dropped, what is tied to any target is never kept.
        weight: name -> how likely it is drawn, at least 0, see `weights`; equal ones draw evenly.
        rng: of the record.

    Returns:
        Targets with at least one name to abstract, where any attribute weighs more than 0.
    """
    names = [one.name for one in attributes]
    drawing = _Drawing(groups, dict(weight), rng)
    half = max(1, len(groups)) / 2
    abstract, abstract_groups = drawing.take(
        math.ceil(rng.betavariate(*BETA) * half), SHARE_OF_GROUPS["abstract"], names
    )
    free = [name for name in names if not {name, *tied[name]} & set(abstract)]
    drop, drop_groups = drawing.take(round(rng.betavariate(*BETA) * half), SHARE_OF_GROUPS["drop"], free)
    hidden = {*abstract, *drop}
    others = [name for name in names if not {name, *tied[name]} & hidden]
    keep = rng.sample(others, min(len(others), rng.choice((1, 2))))
    return Targets(
        _ordered(abstract, names), _ordered(drop, names), _ordered(keep, names), abstract_groups, drop_groups
    )


class _Drawing:
    """Draws that share what is left."""

    def __init__(self, groups: Sequence[Group], weight: dict[str, float], rng: Random):
        self._groups, self._weight, self._rng = list(groups), weight, rng

    def take(self, count: int, share: float, allowed: Collection[str]) -> tuple[set[str], tuple[str, ...]]:
        """The names and the group titles of some draws."""
        taken: set[str] = set()
        titles: list[str] = []
        for _ in range(count):
            left = [name for name in allowed if self._weight[name] > 0]
            whole = [
                group for group in self._groups if set(group.names) <= set(allowed) and set(group.names) & set(left)
            ]
            if not left:
                break
            if whole and self._rng.random() < share:
                heaviest = [max(self._weight[name] for name in group.names) for group in whole]
                group = self._rng.choices(whole, heaviest)[0]
                self._groups.remove(group)
                titles.append(group.title)
                names = group.names
            else:
                names = self._rng.choices(left, [self._weight[name] for name in left])
            taken |= set(names)
            self._weight |= dict.fromkeys(names, 0.0)
        return taken, tuple(titles)


def _ordered(names: Collection[str], order: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in order if name in names)
