"""The cells of the report's tables: what each says, what it sorts by, and its small picture.

What is missing or null becomes a dash or its reason, so that a run half done still has a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lib.audit.verdict import Verdict
from lib.common.formatting import ABSENT, NO_BREAK, duration, measured, number
from lib.report import svg_bars

NO_BOUND = 1e308  # sorts after every epsilon


@dataclass(frozen=True)
class Cell:
    """``text`` with a smaller ``note`` under it; sorts by ``sort``, where None comes last whichever way."""

    text: str
    note: str | None = None
    sort: float | str | None = None
    bar: Markup | None = None
    mark: str = ""  # a class of report.css


@dataclass(frozen=True)
class Table:
    """``columns`` are titles with a smaller second line; the first cell of a row is its header."""

    name: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Cell]]

    @property
    def drawn(self) -> bool:
        """Whether any cell has a picture."""
        return any(cell.bar for row in self.rows for cell in row)


NOTHING = Cell(ABSENT)


def of(arm: Mapping, part: str) -> Mapping:
    """A part of an arm's scorecard, empty where it is missing."""
    return arm.get(part) or {}


def words(text: object, note: str | None = None, mark: str = "") -> Cell:
    """Text that sorts by its letters."""
    return Cell(str(text), note, sort=str(text), mark=mark) if text else NOTHING


def prose(text: object) -> Cell:
    """Sentences, in small letters."""
    return Cell("", str(text), sort=str(text)) if text else NOTHING


def amount(value: float | None, digits: int = 3) -> Cell:
    return NOTHING if value is None else Cell(number(value, digits), sort=value)


def name(arm: Mapping) -> Cell:
    """An arm's name over its method and model."""
    model = str(arm.get("model") or "").removeprefix("bundled:")
    return words(arm["name"], ", ".join(part for part in (str(arm.get("method") or ""), model) if part) or None)


def metric(row: Mapping | None, *, by: str) -> Cell:
    """A metric's value with its interval, and its place between floor and ceiling; sorts ``by`` value or position."""
    if row is None:
        return NOTHING
    if row.get("value") is None:
        return Cell("not defined", mark="quiet")
    value, note = measured(row["value"], row.get("value_low"), row.get("value_high"))
    place, bar = row.get("position"), None
    if place is not None:
        ends = row.get("position_low"), row.get("position_high")
        bar = svg_bars.position(place, *ends, at_ceiling=bool(row.get("at_ceiling")))
    elif row.get("ceiling") is not None:
        bar = Markup('<em class="unplaced">not placed</em>')
    return Cell(value, note, sort=row.get(by), bar=bar)


def epsilon(arm: Mapping) -> Cell:
    """What an arm spent, with its target."""
    part = of(arm, "privacy")
    spent, target = part.get("epsilon"), part.get("target_epsilon")
    if spent is not None:
        return Cell(number(spent, 4), None if target is None else f"of {target:g}", sort=spent)
    return Cell(f"not{NO_BREAK}private", sort=NO_BOUND, mark="bad") if part else NOTHING


def verdict(arm: Mapping, *, why: bool = False) -> Cell:
    """What the attack on an arm came to; ``why`` there was none, where that is asked for."""
    found = of(of(arm, "privacy"), "audit")
    if found.get("verdict"):
        said = Verdict(found["verdict"])
        return words(said, mark=f"verdict {said.name.lower()}")
    return Cell("none", str(found["because"]) if why else None, mark="quiet") if found.get("because") else NOTHING


def bound(arm: Mapping) -> Cell:
    """The epsilon that the attack proved, beside that of an ideal attack and the claim."""
    found = of(of(arm, "privacy"), "audit")
    proved, ceiling, claim = (found.get(part) for part in ("bound", "ceiling", "claim"))
    if proved is None:
        return NOTHING
    best = "every guess right" if claim is None else "ideal attack"
    parts = [] if ceiling is None else [f"{best} {number(ceiling)}"]
    parts += [str(found[part]) for part in ("score", "estimator") if found.get(part)]
    picture = None if claim is None else svg_bars.audit(proved, ceiling, claim)
    return Cell(number(proved), ", ".join(parts) or None, sort=proved, bar=picture)


def copies(arm: Mapping, what: str) -> Cell:
    """What an arm shares with train, over what it shares with held-out records."""
    found = of(of(of(arm, "privacy"), "copies"), what)
    if found.get("train") is None:
        return NOTHING
    return Cell(number(found["train"]), f"held-out {number(found.get('held_out'))}", sort=found["train"])


def release(arm: Mapping) -> Cell:
    """Why an arm may not leave, as far as its ledger knows."""
    against = of(arm, "privacy").get("not_for_release")
    if against is None:
        return NOTHING
    return words("no", "; ".join(against), "bad") if against else words("not ruled out", "the gate decides", "good")


def time(arm: Mapping, most: float = 0) -> Cell:
    """The seconds of an arm, drawn beside ``most``, the longest of the column, where that is given."""
    seconds = of(arm, "cost").get("seconds")
    if seconds is None:
        return NOTHING
    said = f"{duration(seconds)} of at most {duration(most)}"
    return Cell(duration(seconds), sort=seconds, bar=svg_bars.amount(seconds, most, said) if most else None)


def gain(one: Mapping, sign: int) -> Cell:
    """The gain of a comparison's first arm, or with ``sign`` -1 of its second, with its interval beside 0."""
    value, *ends = (one.get(part) for part in ("gain", "low", "high"))
    if value is None or None in ends:
        return NOTHING
    value, (low, high) = sign * value, sorted(sign * end for end in ends)
    picture = svg_bars.difference(value, low, high, max(abs(low), abs(high)))
    return Cell(*measured(value, low, high), sort=value, bar=picture)


def views(one: Mapping, sign: int) -> Cell:
    """In how many views the gain of that arm shows, and what it is in each."""
    seen = one.get("views") or ()
    known = [view for view in seen if None not in (view.get("low"), view.get("high"))]
    agree = sum(min(sign * view["low"], sign * view["high"]) > 0 for view in known)
    told = "; ".join(f"{view.get('name')}: {number(_signed(view.get('gain'), sign), 2)}" for view in seen)
    return Cell(f"{agree} of {len(seen)}", told or None, sort=agree / len(seen) if seen else None)


def _signed(value: float | None, sign: int) -> float | None:
    return None if value is None else sign * value
