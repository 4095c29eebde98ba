"""Macro-F1 against the number of records, as rows and as a table; `lib.evaluation.utility.tstr.by_size` measures it."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lib.common import formatting
from lib.evaluation.estimate import Estimate, Undefined

METRIC = "macro_f1"
Row = dict[str, object]


def rows(task: str, measured: Mapping[str, Mapping[int, Estimate | Undefined]], *, real: str) -> list[Row]:
    """A row for each set and number of records.

    Args:
        task: what is measured, such as ``sentiment by TF-IDF``.
        measured: macro-F1 by set and number of records.
        real: the set of real records.

    Returns:
        Rows with ``task``, ``metric``, ``arm`` (None for real records), ``records`` of the set, ``value`` and the ends
        of its interval; those whose value is not defined are left out.
    """
    return [
        {"task": task, "metric": METRIC, "arm": None if name == real else name, "records": count}
        | dict(zip(("value", "value_low", "value_high"), (estimate.value, *estimate.interval), strict=True))
        for name, estimates in measured.items()
        for count, estimate in estimates.items()
        if not isinstance(estimate, Undefined)
    ]


def flat(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """The ``rows`` as flat metrics: ``task/macro_f1/arm at 300``, with interval."""
    made = {}
    for row in rows:
        name = f"{row['task']}/{METRIC}/{_name(row)} at {row['records']}"
        made |= {name: row["value"], f"{name}/value_low": row["value_low"], f"{name}/value_high": row["value_high"]}
    return made


def table(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """The ``rows`` as a table: a line for each task and set, a column for each number of records."""
    lines: dict[tuple[str, str], dict[int, str]] = {}
    for row in rows:
        line = lines.setdefault((str(row["task"]), _name(row)), {})
        line[row["records"]] = formatting.interval(row["value"], row["value_low"], row["value_high"])
    numbers = sorted({number for line in lines.values() for number in line})
    index = pd.MultiIndex.from_tuples(lines, names=["task", "trained on"]) if lines else None
    made = pd.DataFrame(list(lines.values()), index=index, columns=numbers).fillna("")
    return made.rename(columns="{:,} records".format)


def _name(row: Mapping[str, object]) -> str:
    return "real records" if row["arm"] is None else str(row["arm"])
