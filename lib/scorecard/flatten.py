"""The scorecard as flat numbers and as rows for a table: names and numbers alone, no sentence."""

from collections import Counter
from collections.abc import Mapping
from typing import Any


def figures(card: Mapping[str, Any]) -> dict[str, float]:
    """``ARM/figure`` and ``ARM/group/task/metric`` with its position, for headline metrics; what is not known is left
    out. ``ARM/better_in`` counts the comparisons that the arm won, ``ARM/worse_in`` those that it lost."""
    found: dict[str, float] = {}
    for arm in card["arms"]:
        for name, value in _facts(arm).items():
            found[f"{arm['name']}/{name}"] = value
        for row in arm["metrics"]:
            if row["headline"]:
                key = "/".join((arm["name"], row["group"], row["task"], row["metric"]))
                found |= {key: row["value"], f"{key}/position": row["position"]}
    won = Counter(row["better"] for row in card["comparisons"] if row["better"])
    lost = Counter(name for row in card["comparisons"] if row["better"] for name in row["arms"])
    for name in dict.fromkeys(name for row in card["comparisons"] for name in row["arms"]):
        found |= {f"{name}/better_in": won[name], f"{name}/worse_in": lost[name] - won[name]}
    return {name: value for name, value in found.items() if value is not None}


def rows(card: Mapping[str, Any]) -> list[dict[str, str | float | None]]:
    """A row an arm: what it is, privacy, cost, and headline metrics with their positions."""
    table = []
    for arm in card["arms"]:
        row: dict[str, str | float | None] = {name: arm[name] for name in ("name", "method", "model")} | _facts(arm)
        for one in arm["metrics"]:
            if one["headline"]:
                row[f"{one['task']}, {one['metric']}"] = one["value"]
                row[f"{one['task']}, {one['metric']}: position"] = one["position"]
        table.append(row)
    return table


def _facts(arm: Mapping[str, Any]) -> dict[str, float | None]:
    privacy, cost = arm["privacy"], arm["cost"]
    kept = ("seconds", "tokens", "peak_memory_mb", "money")
    audit = {f"audit_{name}": privacy["audit"].get(name) for name in ("bound", "ceiling")}
    known = {"epsilon": privacy["epsilon"], "delta": privacy["delta"], "seed": arm["seed"], "records": arm["records"]}
    return known | {name: cost[name] for name in kept} | audit
