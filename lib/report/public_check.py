"""What the public page may show: figures of real text outside the budget are refused, whoever let them pass."""

from collections.abc import Iterator, Mapping

from lib.common.errors import DoppelError
from lib.scorecard.public import MEMORY_STEP, MINUTE

_ENDS = ("floor", "ceiling", "position", "at_ceiling")
_HIDDEN = ("audit", "copies")
_COMPARING = ("by_size", "comparisons", "pairs")


def checked(scorecard: Mapping) -> dict:
    """The scorecard of the public page: of arms without privacy it keeps only that they exist.

    Args:
        scorecard: of `lib.scorecard.public.public`.

    Raises:
        DoppelError: figures are still there that may not be; it names the first ones.
    """
    if leaks := list(_leaks(scorecard)):
        raise DoppelError(
            "report.private_figures",
            f"the public scorecard has {len(leaks)} figures of real text outside the budget: {'; '.join(leaks[:5])}",
            name=leaks[0],
            remedy="give the report what lib.scorecard.public makes",
        )
    return dict(scorecard) | {"arms": [_arm(arm) for arm in scorecard.get("arms") or ()]}


def _arm(arm: Mapping) -> dict:
    privacy = arm.get("privacy") or {}
    if privacy.get("epsilon") is None:
        kept = {name: arm[name] for name in ("stage", "method", "model") if name in arm}
        return kept | {"privacy": {name: privacy.get(name) for name in ("epsilon", "not_for_release")}}
    metrics = [
        row | {"because": row.get("because") if row.get("value") is None else None} for row in arm.get("metrics") or ()
    ]
    privacy = {name: value for name, value in privacy.items() if name not in _HIDDEN}
    return dict(arm) | {"privacy": privacy, "metrics": metrics}  # a reason beside a value speaks of floor and ceiling


def _leaks(scorecard: Mapping) -> Iterator[str]:
    yield from (name for name in _COMPARING if scorecard.get(name))
    for arm in scorecard.get("arms") or ():
        stage = arm["stage"]
        for name in _HIDDEN:
            section = (arm.get("privacy") or {}).get(name) or {}
            yield from (f"{name} of {stage}: {key}" for key in section if key != "because")
        yield from (f"{name} of {stage}" for name in _not_rounded(arm.get("cost") or {}))
        for row in arm.get("metrics") or ():
            if row.get("real_text") is not False:
                yield f"{row['metric']} of {stage}"
            else:
                yield from (f"{end} of {row['metric']} of {stage}" for end in _ENDS if row.get(end) is not None)


def _not_rounded(cost: Mapping) -> Iterator[str]:
    """Exact times and memory: they depend on the lengths of private texts."""
    seconds = {"seconds": cost.get("seconds")} | dict(cost.get("by_stage") or {})
    yield from (name for name, value in seconds.items() if (value or 0) % MINUTE)
    if (cost.get("peak_memory_mb") or 0) % MEMORY_STEP:
        yield "peak_memory_mb"
