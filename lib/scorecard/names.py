"""Display names. Everywhere else an arm is its stage id, and replicas that are compared together are their recipe."""

from collections.abc import Mapping, Sequence
from typing import Any

from lib.scorecard.pairwise import Entrant


def choose(
    local_names: Mapping[str, str], arms: Sequence[Mapping[str, Any]], entrants: Sequence[Entrant]
) -> dict[str, str]:
    """The display name of every arm and of every group of replicas, by id; no two are equal.

    Args:
        local_names: stage ids of the arms by their name in the inputs of 30_compare, which is the one shown.
        arms: entries of the scorecard.
        entrants: what is compared.
    """
    names = {stage: name for name, stage in local_names.items()}
    by_stage = {arm["stage"]: arm for arm in arms}
    for entrant in entrants:
        if entrant.id in names:
            continue
        first, target = by_stage[entrant.arms[0]], by_stage[entrant.arms[0]]["privacy"]["target_epsilon"]
        name = first["method"] + (f" at epsilon {target:g}" if target is not None else "")
        names[entrant.id] = f"{name} ({names[first['stage']]})" if name in names.values() else name
    return names


def display_name(card: Mapping[str, Any], identifier: str) -> str:
    """What readers call an arm or a group of replicas; an id without a display name stands for itself.

    Args:
        card: a scorecard.
        identifier: a stage id, or the id of an `Entrant`.
    """
    return (card.get("names") or {}).get(identifier, identifier)
