"""Estimates as rows that place each arm between its floor and its ceiling, and those rows as tables."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lib.common import formatting
from lib.common.errors import DoppelError, nearest
from lib.data.labels import TOPIC
from lib.evaluation import registry
from lib.evaluation.comparison_sets import REAL, Sets
from lib.evaluation.estimate import BySet, Estimate, Undefined
from lib.evaluation.metric import Metric
from lib.evaluation.views import CEILING, View

Row = dict[str, object]

_BETTER = {"lower": "lower", "higher": "higher", "match": "as ceiling"}


def label_names(histogram: Mapping, wanted: Sequence[str] | None, *, predicted: bool = False) -> list[str]:
    """The labels to look at.

    Args:
        histogram: the corpus' label_histogram.json, whose cells name the labels; ``topics`` too, where it has topics.
        wanted: names of labels; None: all.
        predicted: whether classifiers are to learn them. Then all means all but the topic, which is a function of the
            text in an encoder's space: what predicts it measures that encoder.

    Raises:
        DoppelError: a wanted label is not in the corpus.
    """
    known = list(histogram["cells"][0])
    for name in wanted or ():
        if name not in known:
            raise DoppelError(
                "evaluation.unknown_label",
                f"labels: {name!r} is not a label of the corpus",
                name="labels",
                value=name,
                remedy=nearest(name, known),
            )
    if wanted is not None:
        return list(wanted)
    return [name for name in known if not (predicted and name == TOPIC and "topics" in histogram)]


def check_floor(floor: str, arms: Sequence[str]) -> str:
    """The name of the floor, if it is an arm.

    Args:
        floor: name of the floor.
        arms: names of the arms.

    Raises:
        DoppelError: the floor is not among the arms.
    """
    if floor not in arms:
        raise DoppelError(
            "evaluation.unknown_floor",
            f"floor = {floor!r} is not an arm among inputs",
            name="floor",
            value=floor,
            remedy=nearest(floor, arms),
        )
    return floor


def placed(
    task: str,
    measured: Mapping[str, Mapping[str, Estimate | Undefined]],
    *,
    floor: str,
    used: Mapping[str, int],
    of: Mapping[str, int],
    headline: bool = False,
) -> list[Row]:
    """A flat row for every metric and arm, with ``task``, ``arm`` and ``headline`` beside `Metric.as_row`.

    Direction, and whether real text enters, are those of the metric's entry in `lib.evaluation.registry`.

    Args:
        task: what is measured, such as ``embeddings``.
        measured: estimates by set and metric; the sets are the arms and `CEILING`.
        floor: the arm that is the floor.
        used: records of each arm that entered.
        of: records that each arm has.
        headline: whether the headline metrics stand on the first page in this task.

    Raises:
        DoppelError: a metric has no entry.
    """
    entries = [registry.entry(name) for name in measured[CEILING]]
    return [
        {"task": task, "arm": arm}
        | Metric(
            entry.name,
            entry.direction,
            by_metric[entry.name],
            measured[floor][entry.name],
            measured[CEILING][entry.name],
            used[arm],
            of[arm],
            entry.real_text,
        ).as_row()
        | {"headline": headline and entry.headline}
        for entry in entries
        for arm, by_metric in measured.items()
        if arm != CEILING
    ]


def placed_sets(
    task: str, measured: Mapping[str, BySet], sets: Sets, *, floor: str, used: int, headline: bool = False
) -> list[Row]:
    """`placed` of estimates by metric and set.

    Args:
        task: what is measured.
        measured: estimates by metric and set; the sets are the arms of ``sets`` and `REAL`, the ceiling.
        sets: the sets that were compared.
        floor: the arm that is the floor.
        used: records of an arm that entered each training.
        headline: whether the headline metrics stand on the first page in this task.

    Raises:
        DoppelError: a metric has no entry.
    """
    names = {arm: arm for arm in sets.arms} | {CEILING: REAL}
    return placed(
        task,
        {side: {metric: by_set[name] for metric, by_set in measured.items()} for side, name in names.items()},
        floor=floor,
        used=dict.fromkeys(sets.arms, used),
        of=sets.sizes,
        headline=headline,
    )


def flat(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """The ``rows`` as flat metrics, ``task/metric/arm`` with interval and position; undefined ones are left out."""
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
    """The ``rows`` as a table to read, one line for each: value with its interval, floor, ceiling and position."""
    return pd.DataFrame(
        {
            "task": row["task"],
            "metric": registry.title(str(row["metric"])),
            "arm": row["arm"],
            "value": _interval(row, "value"),
            "floor": _number(row["floor"]),
            "ceiling": _number(row["ceiling"]),
            "position": _interval(row, "position"),
            "n of N": f"{row['n']} of {row['of']}",
        }
        for row in rows
    )


def wide(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """The ``rows`` as a table to compare arms by, one line a metric.

    Values have half their interval behind them, and ``=`` where they are at the ceiling.
    """
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        line = lines.setdefault(
            (str(row["task"]), registry.title(str(row["metric"]))), {"better": _BETTER[str(row["direction"])]}
        )
        half = "" if row["value"] is None else f" ± {formatting.number(row['value_high'] - row['value'], 2)}"
        line[str(row["arm"])] = f"{_number(row['value'])}{half}{' =' if row['at_ceiling'] else ''}"
        line["ceiling"] = _number(row["ceiling"])
    names = pd.MultiIndex.from_tuples(lines, names=["task", "metric"])
    made = pd.DataFrame(list(lines.values()), index=names).fillna("")
    return made[sorted(made, key="ceiling".__eq__)]


def by_view(views: Sequence[View]) -> pd.DataFrame:
    """Each arm's value in each of the ``views``, those of one metric together."""
    ordered = sorted(views, key=lambda view: (view.task, view.metric, view.kind))  # stable: else in their order
    names = [
        (view.task, registry.title(view.metric), view.kind, view.name.removeprefix("bundled:")) for view in ordered
    ]
    values = [
        {arm: _number(getattr(estimate, "value", None)) for arm, estimate in view.estimates.items()} for view in ordered
    ]
    return pd.DataFrame(values, index=pd.MultiIndex.from_tuples(names, names=["task", "metric", "varied", "how"]))


def reasons(rows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Why values are not defined, and in how many of the ``rows``."""
    counted: dict[str, int] = {}
    for row in rows:
        if row["value"] is None:
            counted[str(row["because"])] = counted.get(str(row["because"]), 0) + 1
    return counted


def _number(value: object) -> str:
    return formatting.number(value, absent=formatting.UNDEFINED)


def _interval(row: Mapping[str, object], name: str) -> str:
    return formatting.interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
