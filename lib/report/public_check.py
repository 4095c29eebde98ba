"""What the public page may show: figures of real text outside the budget are refused, whoever let them pass."""

from collections.abc import Iterator, Mapping

from lib.common.errors import DoppelError
from lib.scorecard.public import MEMORY_STEP, MINUTE

_ENDS = ("floor", "ceiling", "position", "at_ceiling")
_HIDDEN = ("audit", "copies")


def checked(scorecard: Mapping) -> dict:
    """The scorecard of the public page: of arms without privacy no more than that they exist.

    ``scorecard`` has passed through `lib.scorecard`. Raises DoppelError that names every figure which is still there and
    may not be.
    """
    if found := list(_leaks(scorecard)):
        raise DoppelError(
            f"the public scorecard holds {len(found)} figures of real text outside the budget: {'; '.join(found[:5])}; "
            "give the report what lib.scorecard makes public"
        )
    return dict(scorecard) | {"arms": [_arm(arm) for arm in scorecard.get("arms") or ()]}


def _arm(arm: Mapping) -> dict:
    privacy = arm.get("privacy") or {}
    if privacy.get("epsilon") is None:
        kept = {name: arm[name] for name in ("name", "stage", "method", "model") if name in arm}
        return kept | {"privacy": {name: privacy.get(name) for name in ("epsilon", "not_for_release")}}
    metrics = [
        row | {"because": row.get("because") if row.get("value") is None else None} for row in arm.get("metrics") or ()
    ]
    privacy = {name: value for name, value in privacy.items() if name not in _HIDDEN}
    return dict(arm) | {"privacy": privacy, "metrics": metrics}  # a reason beside a value speaks of floor and ceiling


def _leaks(scorecard: Mapping) -> Iterator[str]:
    if scorecard.get("comparisons"):
        yield "comparisons"
    for arm in scorecard.get("arms") or ():
        for part in _HIDDEN:
            told = (arm.get("privacy") or {}).get(part) or {}
            yield from (f"{part} of {arm['name']}: {key}" for key in told if key != "because")
        yield from (f"{name} of {arm['name']}" for name in _fine(arm.get("cost") or {}))
        for row in arm.get("metrics") or ():
            if row.get("real_text") is not False:
                yield f"{row['metric']} of {arm['name']}"
            else:
                yield from (f"{end} of {row['metric']} of {arm['name']}" for end in _ENDS if row.get(end) is not None)


def _fine(cost: Mapping) -> Iterator[str]:
    """Times and memory that were not rounded: they follow the lengths of private texts."""
    seconds = {"seconds": cost.get("seconds")} | dict(cost.get("by_stage") or {})
    yield from (name for name, value in seconds.items() if (value or 0) % MINUTE)
    if (cost.get("peak_memory_mb") or 0) % MEMORY_STEP:
        yield "peak_memory_mb"
