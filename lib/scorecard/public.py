"""The part of a scorecard that anybody may see: nothing in it was computed from real text outside the budget."""

import math
from collections.abc import Mapping
from typing import Any

from lib.privacy.disclosure import public_value
from lib.scorecard import conclusions

_CORPUS = ("stage", "source", "unit", "units", "delta", "neighbours")
_ARM = ("stage", "method", "model", "seed")
_PRIVACY = ("epsilon", "target_epsilon", "delta", "unit", "not_for_release")
_RELEASED = ("epsilon", "covers", "charges")
_TOGETHER = ("arms", "epsilon", "delta", "unit")
_ROW = (
    "group", "task", "encoder", "arm", "metric", "value", "value_low", "value_high", "direction", "of", "real_text",
    "headline",
)  # fmt: skip
_ROW_EMPTIED = ("floor", "ceiling", "position", "position_low", "position_high", "at_ceiling", "n", "because")
MINUTE, MEMORY_STEP = 60, 500  # seconds, megabytes
_HIDDEN = {"because": "evaluation only, not public"}


def public(card: Mapping) -> dict[str, Any]:
    """The public scorecard, of the same structure. Only what is listed here stays, so a new field is private.

    Removed are metrics that real text entered, floors, ceilings and positions, comparisons, audits and copies, the hash
    of the private records, tokens read in training, and everything computed from the text of an arm that is not for
    release: it spent no budget that counts. Names stay as `lib.privacy.disclosure` lets them. A recipe is a hash of
    all parameters, which would confirm a guess at a private path, so recipes are numbered: replicas still share one.

    Args:
        card: a whole scorecard.
    """
    names = dict(card.get("names") or {})  # format 1 has no names
    recipes = list(dict.fromkeys(arm["recipe"] for arm in card["arms"]))
    arms = [_arm(arm) | {"recipe": f"recipe {recipes.index(arm['recipe']) + 1}"} for arm in card["arms"]]
    return {
        "format": card["format"],
        "run": card["run"],
        "made": card["made"],
        "corpus": {"digest": None} | {name: public_value(name, card["corpus"][name]) for name in _CORPUS},
        "names": names,
        "floor": card["floor"],
        "arms": arms,
        "together": card["together"] and {name: card["together"][name] for name in _TOGETHER},
        "by_size": [],
        "comparisons": [],
        "pairs": [],
        "missing": [],
        "answers": conclusions.guarantees({"arms": arms, "names": names}),
    }


def _arm(arm: Mapping) -> dict[str, Any]:
    privacy = arm["privacy"]
    released, costs = privacy["epsilon"] is not None and not privacy["not_for_release"], privacy.get("released")
    return {
        **{name: public_value(name, arm[name]) for name in _ARM},
        "records": arm["records"] if released else None,
        "privacy": {name: privacy[name] for name in _PRIVACY}
        | {"released": costs and {name: costs[name] for name in _RELEASED}}
        | {"audit": dict(_HIDDEN), "copies": dict(_HIDDEN)},
        "cost": _cost(arm["cost"], released),
        "metrics": [_row(row) for row in arm["metrics"] if released and not row["real_text"]],
    }


def _cost(cost: Mapping, released: bool) -> dict[str, Any]:
    """Time and memory, rounded up to `MINUTE` and `MEMORY_STEP`, because both depend on the lengths of private texts.

    Tokens include those of private texts, so they are left out.
    """
    shown: dict[str, Any] = {"seconds": None, "peak_memory_mb": None, "money": None, "by_stage": {}, "machines": []}
    if released:
        shown |= {name: cost[name] for name in ("money", "machines")}
        shown["seconds"] = _coarse(cost["seconds"], MINUTE)
        shown["peak_memory_mb"] = _coarse(cost["peak_memory_mb"], MEMORY_STEP)
        shown["by_stage"] = {stage: _coarse(seconds, MINUTE) for stage, seconds in cost["by_stage"].items()}
    return {"tokens": None} | shown


def _coarse(value: float | None, step: int) -> int | None:
    """The value rounded up to a multiple of ``step``."""
    return None if value is None else step * math.ceil(value / step)


def _row(row: Mapping) -> dict[str, Any]:
    return {name: public_value(name, row.get(name)) for name in _ROW} | dict.fromkeys(_ROW_EMPTIED)
