"""The cells of the report's tables: the text of each, what it sorts by, and its small picture.

A missing value becomes a dash or its reason, so that a run that is half done still has a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lib.audit.verdict import Verdict
from lib.common.formatting import ABSENT, NO_BREAK, UNDEFINED, dollars, duration, measured, memory, number
from lib.privacy.neighbours import NO_UNIT
from lib.report import svg_bars

NO_BOUND = 1e308  # sorts after every epsilon


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: its first line.
        note: a second line in small letters.
        sort: what the column sorts by; None comes last in both directions.
        bar: a picture above the text.
        mark: a class of report.css.
    """

    text: str
    note: str | None = None
    sort: float | str | None = None
    bar: Markup | None = None
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Attributes:
        name: its caption.
        columns: their titles, each with a second line in small letters.
        rows: of as many cells; the first cell of a row is its header.
    """

    name: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Cell]]

    @property
    def drawn(self) -> bool:
        """Whether any cell has a picture."""
        return any(cell.bar for row in self.rows for cell in row)


NOTHING = Cell(ABSENT)


def section(arm: Mapping, name: str) -> Mapping:
    """A section of an arm's entry in the scorecard, empty where it is missing.

    Args:
        arm: the entry.
        name: ``privacy``, ``cost``; also of a section of a section: ``audit``.
    """
    return arm.get(name) or {}


def words(text: object, note: str | None = None, mark: str = "") -> Cell:
    """Text that sorts by its letters.

    Args:
        text: nothing becomes a dash.
        note: see `Cell`.
        mark: see `Cell`.
    """
    return Cell(str(text), note, sort=str(text), mark=mark) if text else NOTHING


def prose(text: object) -> Cell:
    """Sentences, in small letters.

    Args:
        text: nothing becomes a dash.
    """
    return Cell("", str(text), sort=str(text)) if text else NOTHING


def amount(value: float | None, digits: int = 3) -> Cell:
    """A number.

    Args:
        value: None becomes a dash.
        digits: significant digits of a float.
    """
    return NOTHING if value is None else Cell(number(value, digits), sort=value)


def name(arm: Mapping, display_name: str) -> Cell:
    """An arm's name over its method and model.

    Args:
        arm: its entry in the scorecard.
        display_name: of the arm.
    """
    model = str(arm.get("model") or "").removeprefix("bundled:")
    return words(display_name, ", ".join(text for text in (str(arm.get("method") or ""), model) if text) or None)


def metric(row: Mapping | None, *, by: str) -> Cell:
    """A metric's value with its interval, and its place between floor and ceiling.

    Args:
        row: of the scorecard's metrics; None where the arm was not measured.
        by: what the column sorts by, ``value`` or ``position``.
    """
    if row is None:
        return NOTHING
    if row.get("value") is None:
        return Cell(UNDEFINED, mark="quiet")
    value, note = measured(row["value"], row.get("value_low"), row.get("value_high"))
    place, bar = row.get("position"), None
    if place is not None:
        ends = row.get("position_low"), row.get("position_high")
        bar = svg_bars.position(place, *ends, at_ceiling=bool(row.get("at_ceiling")))
    elif row.get("ceiling") is not None:
        bar = Markup('<em class="unplaced">not placed</em>')
    return Cell(value, note, sort=row.get(by), bar=bar)


def epsilon(arm: Mapping) -> Cell:
    """What an arm spent, with its target.

    Args:
        arm: its entry in the scorecard.
    """
    privacy = section(arm, "privacy")
    spent, target = privacy.get("epsilon"), privacy.get("target_epsilon")
    if spent is not None:
        return Cell(number(spent, 4), None if target is None else f"of {target:g}", sort=spent)
    return Cell(f"not{NO_BREAK}private", sort=NO_BOUND, mark="bad") if privacy else NOTHING


def unit(arm: Mapping) -> Cell:
    """What an arm's guarantee protects one of.

    Args:
        arm: its entry in the scorecard.
    """
    protected = section(arm, "privacy").get("unit")
    return words("nobody" if protected == NO_UNIT else protected)


def verdict(arm: Mapping, *, why: bool = False) -> Cell:
    """The verdict of the audit of an arm.

    Args:
        arm: its entry in the scorecard.
        why: whether to say why there is no verdict.
    """
    audit = section(section(arm, "privacy"), "audit")
    if audit.get("verdict"):
        result = Verdict(audit["verdict"])
        return words(result, mark=f"verdict {result.name.lower()}")
    return Cell("none", str(audit["because"]) if why else None, mark="quiet") if audit.get("because") else NOTHING


def bound(arm: Mapping) -> Cell:
    """The epsilon that the attack showed, beside that of an ideal attack and the claim.

    Args:
        arm: its entry in the scorecard.
    """
    audit = section(section(arm, "privacy"), "audit")
    shown, ceiling, claim = (audit.get(key) for key in ("bound", "ceiling", "claim"))
    if shown is None or claim is None:
        return NOTHING
    notes = [] if ceiling is None else [f"ideal attack {number(ceiling)}"]
    notes += [str(audit["access"])] if audit.get("access") else []
    notes += [f"{number(audit['canaries'])} canaries"] if audit.get("canaries") else []
    picture = svg_bars.audit(shown, ceiling, claim)
    return Cell(number(shown), ", ".join(notes) or None, sort=shown, bar=picture)


def copies(arm: Mapping, figure: str) -> Cell:
    """What an arm shares with the training records, over what it shares with held-out records.

    Args:
        arm: its entry in the scorecard.
        figure: a key of its ``copies``.
    """
    sides = section(section(section(arm, "privacy"), "copies"), figure)
    if sides.get("train") is None:
        return NOTHING
    return Cell(number(sides["train"]), f"held-out {number(sides.get('held_out'))}", sort=sides["train"])


def release(arm: Mapping) -> Cell:
    """Why an arm may not be released, as far as its ledger knows.

    Args:
        arm: its entry in the scorecard.
    """
    against = section(arm, "privacy").get("not_for_release")
    if against is None:
        return NOTHING
    return (
        words("no", "; ".join(against), "bad")
        if against
        else words("not ruled out", "the release gate decides", "good")
    )


def time(arm: Mapping, longest: float = 0) -> Cell:
    """How long an arm took.

    Args:
        arm: its entry in the scorecard.
        longest: seconds of the slowest arm, beside which the time is drawn; 0 for no picture.
    """
    seconds = section(arm, "cost").get("seconds")
    if seconds is None:
        return NOTHING
    label = f"{duration(seconds)} of at most {duration(longest)}"
    return Cell(duration(seconds), sort=seconds, bar=svg_bars.amount(seconds, longest, label) if longest else None)


def peak_memory(arm: Mapping) -> Cell:
    """How much memory an arm took at its peak.

    Args:
        arm: its entry in the scorecard.
    """
    value = section(arm, "cost").get("peak_memory_mb")
    return NOTHING if value is None else Cell(memory(value), sort=value)


def paid(arm: Mapping) -> Cell:
    """What was paid to an API for an arm.

    Args:
        arm: its entry in the scorecard.
    """
    value = section(arm, "cost").get("money")
    return NOTHING if value is None else Cell(dollars(value), sort=value)


def time_by_stage(arm: Mapping) -> Cell:
    """How long each stage of an arm took.

    Args:
        arm: its entry in the scorecard.
    """
    stages = section(section(arm, "cost"), "by_stage")
    return prose("; ".join(f"{stage} {duration(seconds)}" for stage, seconds in stages.items()))


def gain(comparison: Mapping, sign: int) -> Cell:
    """A gain with its interval beside 0.

    Args:
        comparison: of the scorecard.
        sign: 1 for the gain of its first arm, -1 for that of its second.
    """
    value, *ends = (comparison.get(key) for key in ("gain", "low", "high"))
    if value is None or None in ends:
        return NOTHING
    value, (low, high) = sign * value, sorted(sign * end for end in ends)
    picture = svg_bars.difference(value, low, high, max(abs(low), abs(high)))
    return Cell(*measured(value, low, high), sort=value, bar=picture)


def views(comparison: Mapping, sign: int) -> Cell:
    """In how many views a gain shows, and what it is in each.

    Args:
        comparison: of the scorecard.
        sign: as in `gain`.
    """
    seen = comparison.get("views") or ()
    known = [view for view in seen if None not in (view.get("low"), view.get("high"))]
    agree = sum(min(sign * view["low"], sign * view["high"]) > 0 for view in known)
    each = "; ".join(f"{view.get('name')}: {number(_signed(view.get('gain'), sign), 2)}" for view in seen)
    return Cell(f"{agree} of {len(seen)}", each or None, sort=agree / len(seen) if seen else None)


def _signed(value: float | None, sign: int) -> float | None:
    return None if value is None else sign * value
