"""All estimates of a task as rows that place each arm between its floor and its ceiling."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from lib.errors import DoppelError, nearest
from lib.fidelity.metric import Direction, Metric
from lib.utility.sets import REAL, Sets
from lib.utility.transfer import BySet


def label_names(histogram: Mapping, wanted: Sequence[str] | None) -> list[str]:
    """The labels to predict: those of the corpus' declared domain, or those ``wanted`` among them."""
    known = list(histogram["cells"][0])
    for name in wanted or ():
        if name not in known:
            raise DoppelError(f"labels: {name!r} is no label of the corpus{nearest(name, known)}")
    return known if wanted is None else list(wanted)


def check_floor(floor: str, arms: Sequence[str]) -> str:
    """The name of the floor among the arms, or a refusal."""
    if floor not in arms:
        raise DoppelError(f"floor = {floor!r} is no arm among inputs{nearest(floor, arms)}")
    return floor


def placed(
    task: str,
    found: Mapping[str, BySet],
    directions: Mapping[str, Direction],
    sets: Sets,
    *,
    floor: str,
    used: int,
    headline: Collection[str] = (),
) -> list[dict[str, object]]:
    """A flat row for every arm and metric, with ``task`` and ``arm``; see `lib.fidelity.metric.Metric.as_row`.

    ``used`` records of an arm entered each training. Real text entered all of these metrics. Those of ``headline``
    stand on the first page of a report.
    """
    return [
        {"task": task, "arm": arm, "headline": name in headline}
        | Metric(
            name, directions[name], by[arm], by[floor], by[REAL], used=used, of=sets.sizes[arm], real_text=True
        ).as_row()
        for name, by in found.items()
        for arm in sets.arms
    ]


def flat(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Rows as flat metrics, ``task/metric/arm`` with its interval and position; what is not defined is left out."""
    kept = ("value", "value_low", "value_high", "floor", "ceiling", "position", "position_low", "position_high")
    return {
        "/".join((str(row["task"]), str(row["metric"]), str(row["arm"]), *((name,) if name != "value" else ()))): float(
            row[name]
        )
        for row in rows
        for name in kept
        if row[name] is not None
    }


def table(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """A table to read: value with its interval, floor, ceiling and position."""
    return pd.DataFrame(
        {
            "task": row["task"],
            "metric": row["metric"],
            "arm": row["arm"],
            "value": _shown(row, "value"),
            "floor": _number(row["floor"]),
            "ceiling": _number(row["ceiling"]),
            "position": _shown(row, "position"),
            "n of N": f"{row['n']} of {row['of']}",
        }
        for row in rows
    )


def _shown(row: Mapping[str, object], name: str) -> str:
    if row[name] is None:
        return "not defined"
    return f"{row[name]:.3g} [{row[f'{name}_low']:.3g}, {row[f'{name}_high']:.3g}]"


def _number(value: object) -> str:
    return "not defined" if value is None else f"{value:.3g}"
