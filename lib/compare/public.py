"""The part of a scorecard that anybody may see: nothing in it was computed from real text outside the budget."""

from collections.abc import Mapping
from typing import Any

from lib.compare import answers

_CORPUS = ("stage", "source", "unit", "units", "delta", "neighbours")
_ARM = ("name", "stage", "method", "model", "seed", "recipe")
_PRIVACY = ("epsilon", "target_epsilon", "delta", "unit", "not_for_release")
_ROW = (
    "group",
    "task",
    "arm",
    "metric",
    "value",
    "value_low",
    "value_high",
    "direction",
    "of",
    "real_text",
    "headline",
)
_ROW_EMPTIED = ("floor", "ceiling", "position", "position_low", "position_high", "at_ceiling", "n", "because")
_HIDDEN = {"because": "evaluation only, not public"}


def public(card: Mapping) -> dict[str, Any]:
    """The same structure from a list of what may stay, so that a new field is private until it is named here.

    Gone are metrics that real text entered, floors, ceilings and positions, comparisons, audits and copies, the hash
    of the private records, tokens read in training, and all that was computed from the text of an arm that is not for
    release: it spent no budget that counts.
    """
    arms = [_arm(arm) for arm in card["arms"]]
    return {
        "format": card["format"],
        "run": card["run"],
        "made": card["made"],
        "corpus": {"digest": None} | {name: card["corpus"][name] for name in _CORPUS},
        "floor": card["floor"],
        "arms": arms,
        "comparisons": [],
        "answers": answers.guarantees(arms),
        "missing": [],
    }


def _arm(arm: Mapping) -> dict[str, Any]:
    privacy = arm["privacy"]
    released = privacy["epsilon"] is not None and not privacy["not_for_release"]
    return {
        **{name: arm[name] for name in _ARM},
        "records": arm["records"] if released else None,
        "privacy": {name: privacy[name] for name in _PRIVACY} | {"audit": dict(_HIDDEN), "copies": dict(_HIDDEN)},
        "cost": _cost(arm["cost"], released),
        "metrics": [_row(row) for row in arm["metrics"] if released and not row["real_text"]],
    }


def _cost(cost: Mapping, released: bool) -> dict[str, Any]:
    """Seconds and memory of the machine. Tokens hold those of private texts, so they are not told."""
    kept = ("seconds", "peak_memory_mb", "money", "by_stage", "machines") if released else ()
    empty = {"seconds": None, "peak_memory_mb": None, "money": None, "by_stage": {}, "machines": []}
    return {"tokens": None} | empty | {name: cost[name] for name in kept}


def _row(row: Mapping) -> dict[str, Any]:
    return {name: row[name] for name in _ROW} | dict.fromkeys(_ROW_EMPTIED)
