"""The scorecard's tables as notebook 30_compare shows them, with display names."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lib.common import formatting
from lib.evaluation import by_size as sizes
from lib.evaluation.registry import title
from lib.methods.registry import titled
from lib.scorecard.names import display_name
from lib.scorecard.pairwise import VERDICTS


def arms(card: Mapping[str, Any]) -> pd.DataFrame:
    """Privacy, audit, copies and cost: a row for each arm.

    Args:
        card: a scorecard.
    """
    return pd.DataFrame(
        {
            "arm": display_name(card, arm["stage"]),
            "method": arm["method"],
            "seed": arm["seed"],
            "epsilon": formatting.epsilon(arm["privacy"]["epsilon"]),
            "audit": _audit(arm["privacy"]["audit"]),
            "copies (train / held out)": _copies(arm["privacy"]["copies"]),
            "records": arm["records"],
            "seconds": formatting.number(round(arm["cost"]["seconds"])),
            "tokens": formatting.number(arm["cost"]["tokens"]),
            "memory": formatting.memory(arm["cost"]["peak_memory_mb"]),
            "money": formatting.dollars(arm["cost"]["money"], absent="none"),
        }
        for arm in card["arms"]
    ).set_index("arm")


def metrics(card: Mapping[str, Any]) -> pd.DataFrame:
    """Headline metrics with interval, floor and ceiling: a row for each metric, a column for each arm.

    Args:
        card: a scorecard.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for arm in card["arms"]:
        for row in arm["metrics"]:
            if not row["headline"]:
                continue
            line = rows.setdefault((row["group"], f"{title(row['metric'])} ({row['task']})"), {})
            ends = {end: formatting.number(row[end], absent=formatting.UNDEFINED) for end in ("floor", "ceiling")}
            value = formatting.interval(row["value"], row["value_low"], row["value_high"])
            line |= {"better": row["direction"]} | ends | {display_name(card, arm["stage"]): value}
    if not rows:
        return pd.DataFrame()
    index = pd.MultiIndex.from_tuples(rows, names=["", "metric"])
    return pd.DataFrame(list(rows.values()), index=index).fillna("not measured")


def by_epsilon(card: Mapping[str, Any]) -> pd.DataFrame:
    """Headline metrics of the methods over their targets: a row for each metric and method, a column for each epsilon.

    A cell is the mean over a method's arms at this target, as replicas of a sweep are; where they are several, their
    lowest and highest value stand behind it. Arms without a target have the last column.

    Args:
        card: a scorecard; where it has fewer than two targets, the table is empty.
    """
    values: dict[tuple[str, str], dict[float, list[float]]] = {}
    for arm in card["arms"]:
        if titled(arm["method"]).spends is None:
            continue
        target = arm["privacy"]["target_epsilon"]
        for row in arm["metrics"]:
            if row["headline"] and row["value"] is not None:
                name = f"{title(row['metric'])} ({row['task']}), {row['direction']} is better"
                by_target = values.setdefault((name, titled(arm["method"]).title), {})
                by_target.setdefault(math.inf if target is None else target, []).append(row["value"])
    targets = sorted({target for by_target in values.values() for target in by_target})
    if len([target for target in targets if target < math.inf]) < 2:
        return pd.DataFrame()
    headings = {target: f"epsilon {target:g}" if target < math.inf else "no privacy" for target in targets}
    rows = [{headings[target]: _spread(found) for target, found in by_target.items()} for by_target in values.values()]
    index = pd.MultiIndex.from_tuples(values, names=["metric", "method"])
    table = pd.DataFrame(rows, index=index, columns=list(headings.values())).fillna(formatting.ABSENT)
    return table.sort_index(level=0, sort_remaining=False)


def by_size(card: Mapping[str, Any]) -> pd.DataFrame:
    """Macro-F1 against the number of records: a row for each task and arm, the last of each task for real records.

    Args:
        card: a scorecard; one without such measurements has an empty table.
    """
    return sizes.table(
        [row | {"arm": row["arm"] and display_name(card, row["arm"])} for row in card.get("by_size") or ()]
    )


def pairs(card: Mapping[str, Any]) -> pd.DataFrame:
    """Which arm is better than which: a row for each pair and group, with the metrics of each verdict on the first arm.

    Args:
        card: a scorecard; one without pairs has an empty table.
    """
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in card.get("pairs") or ():
        first, second = (display_name(card, entrant) for entrant in row["arms"])
        names = ", ".join(f"{title(metric['metric'])} ({metric['task']})" for metric in row["metrics"])
        rows.setdefault((first, second, row["group"]), {})[row["verdict"]] = names
    columns = [verdict for verdict in VERDICTS if any(verdict in row for row in rows.values())]
    index = pd.MultiIndex.from_tuples(rows, names=["arm", "beside", "group"]) if rows else None
    return pd.DataFrame(list(rows.values()), index=index, columns=columns).fillna("")


def differences(card: Mapping[str, Any]) -> pd.DataFrame:
    """Every comparison: the gain of the first arm over the second, and whether it holds in every view.

    Args:
        card: a scorecard.
    """
    return pd.DataFrame(
        {
            "group": row["group"],
            "metric": f"{title(row['metric'])} ({row['task']})",
            "first": display_name(card, row["arms"][0]),
            "second": display_name(card, row["arms"][1]),
            "gain": formatting.interval(row["gain"], row["low"], row["high"]),
            "views": len(row["views"]),
            "better": display_name(card, row["better"]) if row["better"] else "not shown",
            "because": row["because"] or "in every view",
        }
        for row in card["comparisons"]
    )


def missing(card: Mapping[str, Any]) -> pd.DataFrame:
    """What the scorecard lacks, and why: a row for each thing, with the arm that it is about.

    Args:
        card: a scorecard.
    """
    return pd.DataFrame(
        {
            "arm": "all" if row["arm"] is None else display_name(card, row["arm"]),
            "what": row["what"],
            "because": row["because"],
        }
        for row in card["missing"]
    )


def _spread(values: Sequence[float]) -> str:
    """The mean of values, and between which they lie."""
    mean = formatting.number(sum(values) / len(values))
    ends = map(formatting.number, (min(values), max(values)))
    return mean if len(values) == 1 else f"{mean} ({' to '.join(ends)})"


def _audit(audit: Mapping[str, Any]) -> str:
    if "verdict" not in audit:
        return audit["because"]
    shown, ceiling, claim = (formatting.number(float(audit[key])) for key in ("bound", "ceiling", "claim"))
    return f"{audit['verdict']}: showed {shown} of {claim}; an ideal attack would show {ceiling}"


def _copies(copies: Mapping[str, Any]) -> str:
    """Near-duplicates, and without an audit the sentences that are word for word in the corpus."""
    noun, counts = ("near", copies["near_duplicates"]) if "texts" in copies else ("verbatim", copies["verbatim"])
    return f"{counts['train']} / {counts['held_out']} {noun}"
