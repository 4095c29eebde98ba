"""All estimates of a task as rows that place each arm between its floor and its ceiling."""

from collections.abc import Collection, Mapping

from lib.fidelity import rows
from lib.fidelity.metric import Direction
from lib.fidelity.rows import check_floor, flat, label_names, table, wide
from lib.utility.sets import REAL, Sets
from lib.utility.transfer import BySet
from lib.views import CEILING

__all__ = ["check_floor", "flat", "label_names", "placed", "table", "wide"]


def placed(
    task: str,
    found: Mapping[str, BySet],
    directions: Mapping[str, Direction],
    sets: Sets,
    *,
    floor: str,
    used: int,
    headline: Collection[str] = (),
) -> list[rows.Row]:
    """`lib.fidelity.rows.placed` of what was found by metric and set.

    ``used`` records of an arm entered each training. Real text entered all of these metrics.
    """
    sides = {arm: arm for arm in sets.arms} | {CEILING: REAL}
    return rows.placed(
        task,
        {name: (directions[name], True) for name in found},
        {side: {name: by[one] for name, by in found.items()} for side, one in sides.items()},
        floor=floor,
        used=dict.fromkeys(sets.arms, used),
        of=sets.sizes,
        headline=headline,
    )
