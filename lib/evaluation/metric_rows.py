"""Estimates as rows that place each arm between its floor and its ceiling, and those rows as metrics and tables."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from lib.common.errors import DoppelError, nearest
from lib.evaluation.comparison_sets import REAL, Sets
from lib.evaluation.estimate import BySet, Estimate, Undefined
from lib.evaluation.metric import Direction, Metric
from lib.evaluation.registry import title
from lib.evaluation.views import CEILING, View

Row = dict[str, object]


def label_names(histogram: Mapping, wanted: Sequence[str] | None) -> list[str]:
    """The labels to look at: those of the corpus' declared domain, or those ``wanted`` among them."""
    known = list(histogram["cells"][0])
    for name in wanted or ():
        if name not in known:
            raise DoppelError(f"labels: {name!r} is no label of the corpus; {nearest(name, known)}")
    return known if wanted is None else list(wanted)


def check_floor(floor: str, arms: Sequence[str]) -> str:
    """The name of the floor among the arms, or a refusal."""
    if floor not in arms:
        raise DoppelError(f"floor = {floor!r} is no arm among inputs; {nearest(floor, arms)}")
    return floor


def placed(
    task: str,
    kinds: Mapping[str, tuple[Direction, bool]],
    found: Mapping[str, Mapping[str, Estimate | Undefined]],
    *,
    floor: str,
    used: Mapping[str, int],
    of: Mapping[str, int],
    headline: Collection[str] = (),
) -> list[Row]:
    """A flat row for every arm and metric, with ``task`` and ``arm``; see `lib.evaluation.metric.Metric.as_row`.

    Args:
        kinds: by metric, its direction and whether real text enters it. found: estimates by arm, and `CEILING`.
        used, of: records of each arm that entered, and that it has. headline: metrics for the first page.
    """
    return [
        {"task": task, "arm": arm}
        | Metric(
            name, direction, by[name], found[floor][name], found[CEILING][name], used[arm], of[arm], real_text
        ).as_row()
        | {"headline": name in headline}
        for name, (direction, real_text) in kinds.items()
        for arm, by in found.items()
        if arm != CEILING
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
    """A table to read, one line an arm: value with its interval, floor, ceiling and position."""
    return pd.DataFrame(
        {
            "task": row["task"],
            "metric": title(str(row["metric"])),
            "arm": row["arm"],
            "value": _shown(row, "value"),
            "floor": _number(row["floor"]),
            "ceiling": _number(row["ceiling"]),
            "position": _shown(row, "position"),
            "n of N": f"{row['n']} of {row['of']}",
        }
        for row in rows
    )


def wide(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """A table to compare arms by, one line a metric: values with half their interval, ``=`` where at the ceiling."""
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        line = lines.setdefault(
            (str(row["task"]), title(str(row["metric"]))), {"better": _BETTER[str(row["direction"])]}
        )
        half = "" if row["value"] is None else f" ± {(row['value_high'] - row['value']):.2g}"
        line[str(row["arm"])] = f"{_number(row['value'])}{half}{' =' if row['at_ceiling'] else ''}"
        line["ceiling"] = _number(row["ceiling"])
    names = pd.MultiIndex.from_tuples(lines, names=["task", "metric"])
    made = pd.DataFrame(list(lines.values()), index=names).fillna("")
    return made[[name for name in made if name != "ceiling"] + ["ceiling"]]


def by_view(views: Sequence[View]) -> pd.DataFrame:
    """Each arm's value in every view, those of one metric together: what varies, and how."""
    lines = sorted(views, key=lambda view: (view.task, view.metric, view.kind))  # stable: else in their order
    names = [(view.task, title(view.metric), view.kind, view.name.removeprefix("bundled:")) for view in lines]
    values = [{arm: _number(getattr(one, "value", None)) for arm, one in view.estimates.items()} for view in lines]
    return pd.DataFrame(values, index=pd.MultiIndex.from_tuples(names, names=["task", "metric", "varied", "how"]))


def reasons(rows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Why values are not defined, and in how many rows."""
    found: dict[str, int] = {}
    for row in rows:
        if row["value"] is None:
            found[str(row["because"])] = found.get(str(row["because"]), 0) + 1
    return found


_BETTER = {"lower": "lower", "higher": "higher", "match": "as ceiling"}


def _shown(row: Mapping[str, object], name: str) -> str:
    if row[name] is None:
        return "not defined"
    return "{} [{}, {}]".format(*(_number(row[key]) for key in (name, f"{name}_low", f"{name}_high")))


def _number(value: object) -> str:
    return "not defined" if value is None else f"{value + 0.0:.3g}"  # adding 0 takes the sign off -0


def placed_sets(
    task: str,
    found: Mapping[str, BySet],
    directions: Mapping[str, Direction],
    sets: Sets,
    *,
    floor: str,
    used: int,
    headline: Collection[str] = (),
) -> list[Row]:
    """`placed` of what was found by metric and set.

    ``used`` records of an arm entered each training. Real text entered all of these metrics.
    """
    sides = {arm: arm for arm in sets.arms} | {CEILING: REAL}
    return placed(
        task,
        {name: (directions[name], True) for name in found},
        {side: {name: by[one] for name, by in found.items()} for side, one in sides.items()},
        floor=floor,
        used=dict.fromkeys(sets.arms, used),
        of=sets.sizes,
        headline=headline,
    )
