"""Which column of a file each field of a record is read from.

The first line of a CSV file may be a private record, where nobody wrote a header line. Its cells are shown only where
one of them is the name of the text's column, and then only those that look like names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from lib.common.errors import DoppelError
from lib.data.sources.corpus import FIELDS, Columns, check_fields
from lib.data.spelling import listed

Cells = tuple[str, dict[str, Any]]  # where the row is (file and line), and its values by field

EVERY: Columns = MappingProxyType({})  # in place of a mapping: each column that is there once, as a field of its name
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_BY_COMMAS = "separate the cells of the file by commas"
LIKE_DATA = re.compile(r"[-+\d.,:/ ]+|.*@.*|.*[.!?]\s*|.{61,}|(\S+\s+){6}.*", re.DOTALL)


def resolve(columns: Columns, present: list[str], where: str, *, first_line: bool = False) -> dict[str, str]:
    """Decide which column each field is read from.

    Args:
        columns: field -> column, as the user gives them; a field that is left out is read from the column of its name.
            Or `EVERY`.
        present: the columns of the file.
        where: the file, put before every message.
        first_line: whether ``present`` is the first line of the file, which may be a record.

    Returns:
        field -> column; ``text`` is among the fields, unless they are `EVERY`.

    Raises:
        DoppelError: for a column that is not there, or there twice; for `EVERY`, if another sign than a comma separates
            the cells of a CSV file.
    """
    if columns is EVERY:
        if first_line and (sign := _only_sign(present)):
            raise DoppelError(
                "data.other_delimiter",
                f"the first line has {sign} and no comma",
                name="source",
                value=sign,
                remedy=_BY_COMMAS,
                where=where,
            )
        return {name: name for name in present if present.count(name) == 1}
    check_fields(columns)
    mapping = {"text": "text"} | {name: name for name in FIELDS if name in present} | dict(columns or {})
    is_header = not first_line or mapping["text"] in present
    for field, column in mapping.items():
        if column not in present:
            raise DoppelError(
                "data.column_missing",
                f"no column {column!r} for {field}; {_what_is_there(present, is_header)}",
                name=field,
                value=column,
                remedy=_remedy(field, column, present, is_header),
                where=where,
            )
        if (count := present.count(column)) > 1:
            raise DoppelError(
                "data.column_twice",
                f"{count} columns are called {column!r}",
                name=field,
                value=column,
                remedy="rename all but one",
                where=where,
            )
    return mapping


def _what_is_there(present: list[str], is_header: bool) -> str:
    """The columns that look like names; of a first line that may be a record, figures alone."""
    if is_header:
        return f"the columns are {listed(present)}"
    lengths = ", ".join(str(len(cell)) for cell in present[:12]) + (", ..." if len(present) > 12 else "")
    return f"the first line (hidden, for it may be a record) has {len(present)} cells, of {lengths} characters"


def _remedy(field: str, column: str, present: list[str], is_header: bool) -> str:
    lower = {name.casefold(): name for name in present}
    # so near to what the user wrote that showing it tells nothing new
    close = get_close_matches(column.casefold(), lower, n=1, cutoff=0.8)
    which = f"say which column it is: columns: {{{field}: COLUMN}}"
    if close:
        return f"did you mean {lower[close[0]]}? {which}"
    if is_header:
        return which
    if sign := _only_sign(present):
        return f"it has {sign} and no comma: {_BY_COMMAS}"
    if any(map(LIKE_DATA.fullmatch, present)):
        return "the file seems to have no header line: put one first, with the names of its columns"
    return f"{which}, or put a line of names first"


def _only_sign(present: list[str]) -> str | None:
    """What separates the cells of a first line that has no comma, if anything does."""
    return next((name for sign, name in DELIMITERS.items() if len(present) == 1 and sign in present[0]), None)


def cells_by_key(rows: Iterable[tuple[str, Mapping[str, Any]]], columns: Columns) -> Iterator[Cells]:
    """The cells of rows that each name their columns, as a line of JSONL does.

    Args:
        rows: where each row is, and its values by column.
        columns: field -> column, as in `resolve`, which is given the columns of the first row.

    Raises:
        DoppelError: for a row that lacks a column of the first, or has the user or the id that the first lacks: who
            wrote a record must not depend on which row comes first.
    """
    mapping: dict[str, str] = {}
    for where, row in rows:
        mapping = mapping or resolve(columns, list(row), where)
        missing = [column for column in mapping.values() if column not in row]
        late = [field for field in FIELDS if field in row and field not in mapping]
        if missing or late:
            name = (missing or late)[0]
            raise DoppelError(
                "data.key_missing",
                f"no {name!r}, which the first row has" if missing else f"has {name!r}, which the first row lacks",
                name=name,
                remedy=f"write {name!r} in every row, as null where it is unknown",
                where=where,
            )
        yield where, {field: row[column] for field, column in mapping.items()}
