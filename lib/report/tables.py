"""The scorecard as tables to read; see `lib.report.cells` for what a cell is."""

from collections.abc import Mapping, Sequence

from lib.common.formatting import NO_BREAK, duration, memory
from lib.evaluation import registry as metric_words
from lib.report import cells, glossary
from lib.report.cells import NOTHING, Cell, Table

Key = tuple[str, str, str]  # group, task, metric
GROUPS = ("fidelity", "utility")
ENDS = ("floor", "ceiling")

ARM = ("Arm", "method, model")
SPENT = (f"ε{NO_BREAK}spent", "of its target")
ATTACK = ("Attack", "its verdict")
PAID = ("Paid", "to an API, $")


def summary(scorecard: Mapping) -> Table:
    """Which method, at which epsilon, at what cost: an arm a row, with the metrics of the first page."""
    columns = {ARM: cells.name, SPENT: cells.epsilon, ("Time", "with what it needs"): cells.time, PAID: _paid}
    columns[ATTACK] = cells.verdict
    for key in headline(scorecard):
        columns[_title(scorecard, key), key[1]] = lambda arm, key=key: cells.metric(_by_key(arm).get(key), by="value")
    return _table("Every arm: privacy, what it is worth, and what it cost", columns, scorecard)


def privacy(scorecard: Mapping) -> Table:
    """Budget, attack and copies of every arm."""
    columns = {
        ARM: cells.name,
        SPENT: cells.epsilon,
        ("δ", "not covered"): lambda arm: cells.amount(cells.of(arm, "privacy").get("delta"), 2),
        ("Protects", "one unit"): lambda arm: cells.words(cells.of(arm, "privacy").get("unit")),
        ATTACK: lambda arm: cells.verdict(arm, why=True),
        ("Shown at least", "of the ε claimed"): cells.bound,
        ("Near copies", "of train"): lambda arm: cells.copies(arm, "near_duplicates"),
        ("Longest run", "words, 99th percentile"): lambda arm: cells.copies(arm, "longest_p99"),
        ("Longest run", "words, of all"): lambda arm: cells.copies(arm, "longest_max"),
        ("Word for word", "a long sentence of train"): lambda arm: cells.copies(arm, "verbatim"),
        ("Release", "may it leave?"): cells.release,
    }
    return _table("Privacy of every arm", columns, scorecard)


def cost(scorecard: Mapping) -> Table:
    """What each arm took: its own stage and all that it needs but the corpus."""
    most = max((cells.of(arm, "cost").get("seconds") or 0 for arm in _arms(scorecard)), default=0)
    columns = {
        ARM: cells.name,
        ("Records", "written"): lambda arm: cells.amount(arm.get("records")),
        ("Time", "in all"): lambda arm: cells.time(arm, most),
        ("By stage", ""): _by_stage,
        ("Tokens", "read or written"): lambda arm: cells.amount(cells.of(arm, "cost").get("tokens")),
        ("Memory", "at its peak"): _memory,
        PAID: _paid,
    }
    return _table("Cost of every arm", columns, scorecard)


def metrics(scorecard: Mapping, group: str, *, first: bool) -> Table:
    """Metrics of a group, a row each with the arms side by side: those of the first page, or all others."""
    arms, chosen = _arms(scorecard), headline(scorecard)
    keys = [key for key in _keys(arms) if key[0] == group and (key in chosen) == first]
    found = {key: [_by_key(arm).get(key) for arm in arms] for key in keys}
    ends = [end for end in ENDS if any(row and row.get(end) is not None for rows in found.values() for row in rows)]
    columns = [("Metric", "task"), *((arm["name"], f"ε {cells.epsilon(arm).text}") for arm in arms)]
    columns += [(end.capitalize(), "") for end in ends]
    table = []
    for key, rows in found.items():
        known = next(row for row in rows if row)
        values = [cells.metric(row, by="position" if ends else "value") for row in rows]
        limits = [cells.amount(known.get(end)) for end in ends]
        table.append([cells.words(_title(scorecard, key), key[1]), *values, *limits])
    return Table(f"{'Headline' if first else 'Other'} metrics of {group}", columns, table)


def reasons(scorecard: Mapping, group: str) -> list[tuple[str, str]]:
    """Why metrics of a group have no value or no place: (which, of which arms) and the reason."""
    told: dict[tuple[str, str], list[str]] = {}
    for arm in _arms(scorecard):
        for row in arm.get("metrics") or ():
            if row.get("group") == group and row.get("because"):
                what = f"{metric_words.title(row['metric'])} ({row.get('task')})"
                told.setdefault((what, row["because"]), []).append(arm["name"])
    return [(f"{what} of {', '.join(arms)}", why) for (what, why), arms in told.items()]


def better(scorecard: Mapping) -> Table:
    """Which arm is better than which, where a difference shows in every view; gains are those of the better one."""
    columns = [("Better", ""), ("Than", ""), ("Metric", "task"), ("Gain", "95% interval"), ("Views", "that show it")]
    rows = []
    for one in (one for one in scorecard.get("comparisons") or () if one.get("better")):
        first, second = one["arms"]
        sign, other = (1, second) if one["better"] == first else (-1, first)
        metric = cells.words(metric_words.title(one["metric"]), one.get("task"))
        rows.append(
            [cells.words(one["better"]), cells.words(other), metric, cells.gain(one, sign), cells.views(one, sign)]
        )
    return Table("Where arms differ", columns, rows)


def alike(scorecard: Mapping) -> Table:
    """Pairs of arms where no difference shows in every view, and why."""
    columns = [
        ("Arms", ""),
        ("Metric", "task"),
        ("Why", ""),
        ("Gain of the first", "95% interval"),
        ("Views", "that show it"),
    ]
    rows = [
        [
            cells.words(" – ".join(one["arms"])),
            cells.words(metric_words.title(one["metric"]), one.get("task")),
            cells.prose(one.get("because")),
            cells.gain(one, 1),
            cells.views(one, 1 if (one.get("gain") or 0) > 0 else -1),
        ]
        for one in scorecard.get("comparisons") or ()
        if not one.get("better")
    ]
    return Table("Where no difference is shown", columns, rows)


def missing(scorecard: Mapping) -> Table:
    """What the run lacks, and why."""
    rows = [
        [cells.words(one.get("arm") or "all arms"), cells.words(one.get("what")), cells.prose(one.get("because"))]
        for one in scorecard.get("missing") or ()
    ]
    return Table("What is missing", [("Arm", ""), ("What", ""), ("Why", "")], rows)


def headline(scorecard: Mapping) -> list[Key]:
    """Metrics of the first page: fidelity, then utility."""
    found = [_key(row) for arm in _arms(scorecard) for row in arm.get("metrics") or () if row.get("headline")]
    return sorted(dict.fromkeys(found), key=lambda key: GROUPS.index(key[0]) if key[0] in GROUPS else len(GROUPS))


def _table(name: str, columns: Mapping, scorecard: Mapping) -> Table:
    """An arm a row, and a column for each title that any arm can fill."""
    arms = _arms(scorecard)
    filled = {title: [make(arm) for arm in arms] for title, make in columns.items()}
    filled = {title: column for title, column in filled.items() if any(cell != NOTHING for cell in column)}
    return Table(name, list(filled), [list(row) for row in zip(*filled.values(), strict=True)])


def _arms(scorecard: Mapping) -> Sequence[Mapping]:
    return scorecard.get("arms") or ()


def _key(row: Mapping) -> Key:
    return str(row.get("group")), str(row.get("task")), str(row["metric"])


def _keys(arms: Sequence[Mapping]) -> list[Key]:
    return list(dict.fromkeys(_key(row) for arm in arms for row in arm.get("metrics") or ()))


def _by_key(arm: Mapping) -> dict[Key, Mapping]:
    return {_key(row): row for row in arm.get("metrics") or ()}


def _title(scorecard: Mapping, key: Key) -> str:
    """A metric's title with the arrow of its direction."""
    directions = [row.get("direction") for arm in _arms(scorecard) if (row := _by_key(arm).get(key))]
    return f"{metric_words.title(key[2])}{NO_BREAK}{glossary.ARROWS.get(directions[0], '')}".rstrip()


def _by_stage(arm: Mapping) -> Cell:
    parts = cells.of(cells.of(arm, "cost"), "by_stage")
    return Cell("", "; ".join(f"{id} {duration(seconds)}" for id, seconds in parts.items())) if parts else NOTHING


def _memory(arm: Mapping) -> Cell:
    value = cells.of(arm, "cost").get("peak_memory_mb")
    return NOTHING if value is None else Cell(memory(value), sort=value)


def _paid(arm: Mapping) -> Cell:
    return cells.amount(cells.of(arm, "cost").get("money"))
