"""The scorecard's tables as notebook 07 shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lib.evaluation.registry import title


def arms(card: Mapping[str, Any]) -> pd.DataFrame:
    """Privacy, audit, copies and cost: a row an arm."""
    return pd.DataFrame(
        {
            "arm": arm["name"],
            "method": arm["method"],
            "seed": arm["seed"],
            "epsilon": "not private" if arm["privacy"]["epsilon"] is None else f"{arm['privacy']['epsilon']:.3f}",
            "audit": _audit(arm["privacy"]["audit"]),
            "copies (train / held out)": _copies(arm["privacy"]["copies"]),
            "records": arm["records"],
            "seconds": f"{arm['cost']['seconds']:,.0f}",
            "tokens": f"{arm['cost']['tokens']:,}",
            "memory": f"{arm['cost']['peak_memory_mb'] / 1000:.1f} GB",
            "money": "none" if arm["cost"]["money"] is None else f"${arm['cost']['money']:.2f}",
        }
        for arm in card["arms"]
    ).set_index("arm")


def metrics(card: Mapping[str, Any]) -> pd.DataFrame:
    """Headline metrics with interval, floor and ceiling: a row a metric, a column an arm."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for arm in card["arms"]:
        for row in arm["metrics"]:
            if row["headline"]:
                line = rows.setdefault((row["group"], f"{title(row['metric'])} ({row['task']})"), {})
                line |= {"better": row["direction"], "floor": _number(row["floor"]), "ceiling": _number(row["ceiling"])}
                line[arm["name"]] = _interval(row["value"], row["value_low"], row["value_high"])
    if not rows:
        return pd.DataFrame()
    names = pd.MultiIndex.from_tuples(rows, names=["", "metric"])
    return pd.DataFrame(list(rows.values()), index=names).fillna("not measured")


def differences(comparisons: Sequence[Mapping[str, Any]], unit: str = "gain") -> pd.DataFrame:
    """Gain of the first arm over the second, and whether it survives: a row a pair and metric."""
    return pd.DataFrame(
        {
            "group": row["group"],
            "metric": f"{title(row['metric'])} ({row['task']})",
            "first": row["arms"][0],
            "second": row["arms"][1],
            unit: _interval(row["gain"], row["low"], row["high"]),
            "views": len(row["views"]),
            "better": row["better"] or "not said",
            "because": row["because"] or "in every view",
        }
        for row in comparisons
    )


def _audit(audit: Mapping[str, Any]) -> str:
    if "verdict" not in audit:
        return audit["because"]
    best = "an ideal attack at this claim" if audit["claim"] is not None else "every guess right"
    return f"{audit['verdict']}: showed {audit['bound']:.2f}; {best} would show {audit['ceiling']:.2f}"


def _copies(copies: Mapping[str, Any]) -> str:
    """Near-duplicates, and else sentences that stand word for word in the corpus."""
    what, counts = ("near", copies["near_duplicates"]) if "texts" in copies else ("verbatim", copies["verbatim"])
    return f"{counts['train']} / {counts['held_out']} {what}"


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "not defined"
    return f"{value:.3g}" if low is None else f"{value:.3g} [{low:.3g}, {high:.3g}]"


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3g}"
