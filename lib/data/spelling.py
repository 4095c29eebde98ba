"""How values and names are spelled: one form to compare labels in, and what an error may say about private ones."""

import re
import unicodedata
from collections.abc import Collection, Iterable

NAME = re.compile(r"[^\W\d][\w.-]{0,39}")  # one short word: the shape of a column's name, and of no sentence
MAX_LISTED = 30

KINDS = (  # of values, each with what their spelling matches
    ("true or false", r"true|false"),
    ("numbers", r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?"),
    ("dates or times", r"\d{4}-\d\d.*|\d\d?:\d\d.*"),
    ("words", r".*"),
)


def spelled(value: str) -> str:
    """The form in which label values are compared, in cells and in the declared domain alike.

    >>> [spelled(value) for value in ("1.0", "1.50", " True", "2024-01-31T00:00:00")]
    ['1', '1.5', 'true', '2024-01-31']

    Args:
        value: as a cell or a domain has it.

    Returns:
        it in Unicode NFC, with single spaces, numbers without needless zeros, midnight left out of a date.
    """
    value = " ".join(unicodedata.normalize("NFC", value).split())
    if value.lower() in ("true", "false"):
        return value.lower()
    value = re.sub(r"^(-?\d+)\.0*$|^(-?\d+\.\d*[1-9])0+$", r"\1\2", value)
    value = re.sub(r"^(\d{4}-\d\d-\d\d)T(?=\d)", r"\1 ", value)
    return re.sub(r"^(\d{4}-\d\d-\d\d) 00:00:00(\.0+)?$", r"\1", value)


def outside_hint(values: Collection[str], declared: Collection[str]) -> str:
    """In which way private values miss a domain, by their kind alone; an empty string where that is not known.

    Args:
        values: the values outside the domain, at least one. None of them is quoted.
        declared: the values of the domain.
    """
    if _plain(values) <= _plain(declared):
        return "such values differ from declared ones only in letter case or white space: "
    given, listed_kinds = _kinds(values), _kinds(declared)
    if given.isdisjoint(listed_kinds):
        return f"such values are {' or '.join(sorted(given))}, the domain lists {' or '.join(sorted(listed_kinds))}: "
    return ""


def _plain(values: Iterable[str]) -> set[str]:
    return {"".join(spelled(value).split()).casefold() for value in values}


def _kinds(values: Iterable[str]) -> set[str]:
    matching = re.IGNORECASE | re.DOTALL
    return {next(name for name, form in KINDS if re.fullmatch(form, spelled(v), matching)) for v in values}


def listed(names: Collection[str]) -> str:
    """The names that look like names, and how many do not: ``id, stars and 2 more``.

    What takes the place of a name may be private, as where a table's first record became its header: so only single
    short words are shown.

    Args:
        names: of columns or labels.
    """
    shown = [name for name in names if NAME.fullmatch(name)][:MAX_LISTED]
    hidden = len(names) - len(shown)
    if not shown:
        return f"{hidden} not shown" if hidden else "none"
    return ", ".join(shown) + (f" and {hidden} more" if hidden else "")
