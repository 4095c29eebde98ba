"""The scorecard as flat numbers and as rows for a table: names and numbers, no sentences."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lib.scorecard.names import display_name


def figures(card: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a scorecard by name; unknown values are left out.

    Args:
        card: a scorecard.

    Returns:
        ``ARM/figure`` and, for headline metrics, ``ARM/group/task/metric`` with its position, where ``ARM`` is a
        display name. ``ARM/better_in`` counts the comparisons that the arm won, ``ARM/worse_in`` those that it lost.
    """
    numbers: dict[str, float | None] = {}
    for arm in card["arms"]:
        name = display_name(card, arm["stage"])
        numbers |= {f"{name}/{figure}": value for figure, value in _facts(arm).items()}
        for row in arm["metrics"]:
            if row["headline"]:
                key = "/".join((name, row["group"], row["task"], row["metric"]))
                numbers |= {key: row["value"], f"{key}/position": row["position"]}
    won = Counter(row["better"] for row in card["comparisons"] if row["better"])
    decided = Counter(entrant for row in card["comparisons"] if row["better"] for entrant in row["arms"])
    for entrant in dict.fromkeys(entrant for row in card["comparisons"] for entrant in row["arms"]):
        name = display_name(card, entrant)
        numbers |= {f"{name}/better_in": won[entrant], f"{name}/worse_in": decided[entrant] - won[entrant]}
    return {name: value for name, value in numbers.items() if value is not None}


def rows(card: Mapping[str, Any]) -> list[dict[str, str | float | None]]:
    """A row for each arm: what it is, privacy, cost, and headline metrics with their positions.

    Args:
        card: a scorecard.
    """
    table = []
    for arm in card["arms"]:
        row: dict[str, str | float | None] = {"name": display_name(card, arm["stage"])}
        row |= {name: arm[name] for name in ("method", "model")} | _facts(arm)
        for measured in arm["metrics"]:
            if measured["headline"]:
                column = f"{measured['task']}, {measured['metric']}"
                row |= {column: measured["value"], f"{column}: position": measured["position"]}
        table.append(row)
    return table


def _facts(arm: Mapping[str, Any]) -> dict[str, float | None]:
    privacy, cost = arm["privacy"], arm["cost"]
    kept = ("seconds", "tokens", "peak_memory_mb", "money")
    audit = {f"audit_{name}": privacy["audit"].get(name) for name in ("bound", "ceiling")}
    known = {"epsilon": privacy["epsilon"], "delta": privacy["delta"], "seed": arm["seed"], "records": arm["records"]}
    return known | {name: cost[name] for name in kept} | audit
