"""The scorecard as the report's tables; see `lib.report.cells` for their cells."""

from collections.abc import Mapping, Sequence

from lib.common.formatting import NO_BREAK
from lib.evaluation.registry import title
from lib.report import cells, glossary
from lib.report.cells import NOTHING, Table
from lib.scorecard import tables as scorecard_tables
from lib.scorecard.names import display_name

Metric = tuple[str, str, str]  # group, task, metric
GROUPS = ("fidelity", "utility")
ENDS = ("floor", "ceiling")

ARM = ("Arm", "method, model")
SPENT = (f"ε{NO_BREAK}spent", "and its target")
ATTACK = ("Attack", "its verdict")
PAID = ("Paid", "to an API")


def summary(scorecard: Mapping) -> Table:
    """Which method, at which epsilon, at what cost: a row for each arm, with the headline metrics.

    Args:
        scorecard: whole or public; parts of it may be missing.
    """
    columns = {SPENT: cells.epsilon, ("Time", "with what it needs"): cells.time, PAID: cells.paid}
    columns[ATTACK] = cells.verdict
    for key in headline(scorecard):
        columns[_title(scorecard, key), key[1]] = lambda arm, key=key: cells.metric(_by_key(arm).get(key), by="value")
    return _table("Every arm: privacy, quality and cost", columns, scorecard)


def privacy(scorecard: Mapping) -> Table:
    """Budget, attack and copies: a row for each arm.

    Args:
        scorecard: as for `summary`.
    """
    columns = {
        SPENT: cells.epsilon,
        ("δ", "not covered"): lambda arm: cells.amount(cells.section(arm, "privacy").get("delta"), 2),
        ("Protects", "one unit"): cells.unit,
        ATTACK: lambda arm: cells.verdict(arm, why=True),
        ("Shown at least", "of the ε claimed"): cells.bound,
        ("Near copies", "of training records"): lambda arm: cells.copies(arm, "near_duplicates"),
        ("Longest shared run", "words, 99th percentile"): lambda arm: cells.copies(arm, "longest_p99"),
        ("Longest shared run", "words, maximum"): lambda arm: cells.copies(arm, "longest_max"),
        ("Word for word", "a long training sentence"): lambda arm: cells.copies(arm, "verbatim"),
        ("Release", "may it leave?"): cells.release,
    }
    return _table("Privacy of every arm", columns, scorecard)


def cost(scorecard: Mapping) -> Table:
    """What each arm took: its own stage and everything it needs except the corpus.

    Args:
        scorecard: as for `summary`.
    """
    longest = max((cells.section(arm, "cost").get("seconds") or 0 for arm in _arms(scorecard)), default=0)
    columns = {
        ("Records", "written"): lambda arm: cells.amount(arm.get("records")),
        ("Time", "in total"): lambda arm: cells.time(arm, longest),
        ("By stage", ""): cells.time_by_stage,
        ("Tokens", "read or written"): lambda arm: cells.amount(cells.section(arm, "cost").get("tokens")),
        ("Memory", "at its peak"): cells.peak_memory,
        PAID: cells.paid,
    }
    return _table("Cost of every arm", columns, scorecard)


def metrics(scorecard: Mapping, group: str, *, first: bool) -> Table:
    """Metrics of a group: a row for each, the arms side by side.

    Args:
        scorecard: as for `summary`.
        group: ``fidelity`` or ``utility``.
        first: whether to show the headline metrics, or all others.
    """
    arms, chosen = _arms(scorecard), headline(scorecard)
    keys = [key for key in _keys(arms) if key[0] == group and (key in chosen) == first]
    by_key = {key: [_by_key(arm).get(key) for arm in arms] for key in keys}
    ends = [end for end in ENDS if any(row and row.get(end) is not None for rows in by_key.values() for row in rows)]
    columns = [("Metric", "task"), *((_name(scorecard, arm), _epsilon(arm)) for arm in arms)]
    columns += [(end.capitalize(), "") for end in ends]
    table = []
    for key, rows in by_key.items():
        measured = next(row for row in rows if row)
        values = [cells.metric(row, by="position" if ends else "value") for row in rows]
        limits = [cells.amount(measured.get(end)) for end in ends]
        table.append([cells.words(_title(scorecard, key), key[1]), *values, *limits])
    return Table(f"{'Headline' if first else 'Other'} metrics of {group}", columns, table)


def by_size(scorecard: Mapping) -> Table:
    """Macro-F1 of utility's classifiers against the number of records that they learned from, of arms and real text.

    Args:
        scorecard: as for `summary`.
    """
    measured = scorecard_tables.by_size(scorecard)
    columns = [("Trained on", "task"), *((name, "in the set") for name in measured.columns)]
    rows = [
        [cells.words(name, task), *map(cells.words, values)]
        for (task, name), values in zip(measured.index, measured.to_numpy(), strict=True)
    ]
    return Table("Macro-F1 against the number of records", columns, rows)


def reasons(scorecard: Mapping, group: str) -> list[tuple[str, str]]:
    """Why metrics of a group have no value or no position: (the metric, and of which arms) and the reason.

    Args:
        scorecard: as for `summary`.
        group: ``fidelity`` or ``utility``.
    """
    arms_by: dict[tuple[str, str], list[str]] = {}
    for arm in _arms(scorecard):
        for row in arm.get("metrics") or ():
            if row.get("group") == group and row.get("because"):
                metric = f"{title(row['metric'])} ({row.get('task')})"
                arms_by.setdefault((metric, row["because"]), []).append(_name(scorecard, arm))
    return [(f"{metric} of {', '.join(arms)}", because) for (metric, because), arms in arms_by.items()]


def pairs(scorecard: Mapping) -> Table:
    """Which arm is better than which: a row for each pair and group, a column for each verdict on its first arm.

    Args:
        scorecard: as for `summary`.
    """
    verdicts = scorecard_tables.pairs(scorecard)
    columns = [("Arm", ""), ("Compared with", ""), ("Group", "")]
    columns += [(f"{verdict.capitalize()} in", "") for verdict in verdicts.columns]
    rows = [
        [*map(cells.words, key), *map(cells.prose, metrics)]
        for key, metrics in zip(verdicts.index, verdicts.to_numpy(), strict=True)
    ]
    return Table("Every pair of arms", columns, rows)


def better(scorecard: Mapping) -> Table:
    """The differences that show in every view; gains are those of the better arm.

    Args:
        scorecard: as for `summary`.
    """
    columns = [("Better", ""), ("Than", ""), ("Metric", "task"), ("Gain", "95% interval"), ("Views", "that show it")]
    rows = []
    for row in scorecard.get("comparisons") or ():
        if not row.get("better"):
            continue
        first, second = row["arms"]
        sign, worse = (1, second) if row["better"] == first else (-1, first)
        names = [cells.words(display_name(scorecard, entrant)) for entrant in (row["better"], worse)]
        metric = cells.words(title(row["metric"]), row.get("task"))
        rows.append([*names, metric, cells.gain(row, sign), cells.views(row, sign)])
    return Table("Where arms differ", columns, rows)


def alike(scorecard: Mapping) -> Table:
    """Pairs of arms where no difference shows in every view, with the reason.

    Args:
        scorecard: as for `summary`.
    """
    columns = [
        ("Arms", ""), ("Metric", "task"), ("Why", ""), ("Gain of the first", "95% interval"), ("Views", "that show it"),
    ]  # fmt: skip
    rows = [
        [
            cells.words(" – ".join(display_name(scorecard, entrant) for entrant in row["arms"])),
            cells.words(title(row["metric"]), row.get("task")),
            cells.prose(row.get("because")),
            cells.gain(row, 1),
            cells.views(row, 1 if (row.get("gain") or 0) > 0 else -1),
        ]
        for row in scorecard.get("comparisons") or ()
        if not row.get("better")
    ]
    return Table("Where no difference is shown", columns, rows)


def missing(scorecard: Mapping) -> Table:
    """What the run lacks, and why.

    Args:
        scorecard: as for `summary`.
    """
    rows = [
        [
            cells.words(display_name(scorecard, row["arm"]) if row.get("arm") else "all arms"),
            cells.words(row.get("what")),
            cells.prose(row.get("because")),
        ]
        for row in scorecard.get("missing") or ()
    ]
    return Table("What is missing", [("Arm or stage", ""), ("What", ""), ("Why", "")], rows)


def headline(scorecard: Mapping) -> list[Metric]:
    """The headline metrics: fidelity, then utility.

    Args:
        scorecard: as for `summary`.
    """
    keys = [_key(row) for arm in _arms(scorecard) for row in arm.get("metrics") or () if row.get("headline")]
    return sorted(dict.fromkeys(keys), key=lambda key: GROUPS.index(key[0]) if key[0] in GROUPS else len(GROUPS))


def _table(name: str, columns: Mapping, scorecard: Mapping) -> Table:
    """A row for each arm, and a column for each title that any arm can fill."""
    arms = _arms(scorecard)
    columns = {ARM: lambda arm: cells.name(arm, _name(scorecard, arm)), **columns}
    filled = {heading: [make(arm) for arm in arms] for heading, make in columns.items()}
    filled = {heading: column for heading, column in filled.items() if any(cell != NOTHING for cell in column)}
    return Table(name, list(filled), [list(row) for row in zip(*filled.values(), strict=True)])


def _arms(scorecard: Mapping) -> Sequence[Mapping]:
    return scorecard.get("arms") or ()


def _name(scorecard: Mapping, arm: Mapping) -> str:
    return display_name(scorecard, arm["stage"])


def _epsilon(arm: Mapping) -> str:
    private = cells.section(arm, "privacy").get("epsilon") is not None
    return f"ε {cells.epsilon(arm).text}" if private else cells.epsilon(arm).text


def _key(row: Mapping) -> Metric:
    return str(row.get("group")), str(row.get("task")), str(row["metric"])


def _keys(arms: Sequence[Mapping]) -> list[Metric]:
    return list(dict.fromkeys(_key(row) for arm in arms for row in arm.get("metrics") or ()))


def _by_key(arm: Mapping) -> dict[Metric, Mapping]:
    return {_key(row): row for row in arm.get("metrics") or ()}


def _title(scorecard: Mapping, key: Metric) -> str:
    """A metric's title with the arrow of its direction."""
    directions = [row.get("direction") for arm in _arms(scorecard) if (row := _by_key(arm).get(key))]
    return f"{title(key[2])}{NO_BREAK}{glossary.ARROWS.get(directions[0], '')}".rstrip()
