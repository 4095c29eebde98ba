"""What the columns of a user's own source hold, so that somebody who writes a preset for it can choose among them.

Everything here is private: it is for the terminal of whoever holds the data, and no error shows any of it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from lib.common import jsonl
from lib.common.errors import DoppelError
from lib.data.sources import SOURCES, parse
from lib.data.sources.columns import EVERY, LIKE_DATA
from lib.data.sources.corpus import SourceRequest
from lib.data.sources.source_file import kind_of, locate

MOST_VALUES = 100  # of a label: a column with more looks like free text, an id or a measurement
FEW_VALUES = 20  # of a column that is proposed as a label
RARE = 10  # records: a value that fewer have may point at somebody
USERS = re.compile(r"(user|author|reviewer|customer|patient|client|member)s?([ _-]?(id|name))?", re.IGNORECASE)


@dataclass(slots=True)
class Column:
    """What a column holds.

    Attributes:
        name: of the column.
        rows: how many were read.
        empty: how many of them have no value.
        is_plain: whether all values are text or numbers.
        characters: in all values together.
        values: how often each value occurs, by value; of a column with many, only the first so many values.
    """

    name: str
    rows: int = 0
    empty: int = 0
    is_plain: bool = True
    characters: int = 0
    values: Counter[str] = field(default_factory=Counter, repr=False)

    def add(self, cell: Any) -> None:
        """Count a ``cell`` of the column."""
        from lib.data.sources.table_files import clean

        self.rows += 1
        if isinstance(cell, list | dict | bytes):
            self.is_plain = False
            return
        if (value := clean(cell, self.name, "")) is None:
            self.empty += 1
            return
        self.characters += len(value)
        if value in self.values or not self.has_many:
            self.values[value] += 1

    @property
    def has_many(self) -> bool:
        """Whether there are more than `MOST_VALUES` different values."""
        return len(self.values) > MOST_VALUES

    @property
    def may_be_label(self) -> bool:
        """Whether it looks like a label: in every row, of a few values, each of them frequent."""
        complete = self.is_plain and not self.empty and not self.has_many
        return complete and 2 <= len(self.values) <= FEW_VALUES and min(self.values.values()) >= RARE

    @property
    def length(self) -> float:
        """Characters of a value, on average."""
        return self.characters / max(1, self.rows - self.empty)


def source_of(given: str) -> str:
    """A source as a parameter writes it.

    Args:
        given: a source of the user's own (``csv:PATH``, ``hub:OWNER/NAME``), or the path of a file, whose first bytes
            tell its kind.

    Raises:
        DoppelError: another source, whose columns are known, or a file that no source reads.
    """
    kind, colon, _ = given.partition(":")
    if not colon or kind not in SOURCES:
        return f"{kind_of(given)}:{given}"
    parse(given)
    if not SOURCES[kind].own_columns:
        kinds = ", ".join(sorted(name for name, source in SOURCES.items() if source.own_columns))
        raise DoppelError(
            "data.not_own_columns",
            f"{kind} has columns that Doppel knows",
            name="source",
            value=kind,
            remedy=f"copy a preset that reads it; here sources are {kinds}",
        )
    return given


def survey(source: str, text: str | None = None) -> list[Column] | None:
    """What the columns of a source hold, in their order. The whole source is read once.

    Args:
        source: what `source_of` gives.
        text: the column of the text, if it is known. The first line of a CSV file that has it is a header.

    Returns:
        the columns, without those whose name occurs twice; None for a JSONL file in the record schema, which has none
        to choose from.

    Raises:
        DoppelError: for whatever the source's loader refuses, and a CSV file that seems to have no header line.
    """
    kind, argument = parse(source)
    rows = _rows(kind, argument)
    if not (first := next(rows, None)):
        raise DoppelError(
            "data.no_record",
            "the source holds no record",
            name="source",
            value=kind,
            remedy="name one that has at least one row",
            where=argument,
        )
    if kind == "jsonl" and isinstance(first.get("labels"), dict):
        return None
    if is_doubtful := kind == "csv" and text not in first:
        words = " ".join(filter(None, first)).split() if len(first) == 1 else []  # no label's value to compare it with
        _check_header(argument, len(words) > 1 or any(map(LIKE_DATA.fullmatch, filter(None, first))))
    columns = [Column(name) for name in first]
    for cells in chain([first], rows):
        for column in columns:
            column.add(cells.get(column.name))
    if is_doubtful:  # the name of a label is seldom one of its values
        _check_header(argument, any(column.name in column.values and not column.has_many for column in columns))
    return columns


def guess_text(columns: Sequence[Column]) -> str | None:
    """The name of the column with the longest values among ``columns``; None where none holds text or numbers."""
    plain = [column for column in columns if column.is_plain and column.characters]
    return max(plain, key=lambda column: column.length).name if plain else None


def guess_labels(columns: Iterable[Column], taken: Iterable[str | None], most: float) -> list[str]:
    """Names of the columns that look like labels, in their order.

    Args:
        columns: of the source.
        taken: names of columns that hold the text and the user.
        most: combinations of labels that they may make together; those with the fewest values are taken first.
    """
    candidates = [c for c in columns if c.may_be_label and c.name not in taken and not USERS.fullmatch(c.name)]
    chosen, combinations = [], 1
    for column in sorted(candidates, key=lambda column: len(column.values)):
        if combinations * len(column.values) <= most:
            chosen.append(column.name)
            combinations *= len(column.values)
    return [column.name for column in candidates if column.name in chosen]


def guess_user(columns: Iterable[Column]) -> str | None:
    """The name of a column that is called as one of users is (author, customer_id), or None."""
    return next((column.name for column in columns if USERS.fullmatch(column.name)), None)


def _rows(kind: str, argument: str) -> Iterator[dict[str, Any]]:
    """The rows of a source, each as its values by column."""
    from lib.data.sources import hub, table_files  # late: datasets and pyarrow take a second

    if kind == "hub":
        return (cells for _, cells in hub.cells(SourceRequest(kind, argument, EVERY)))
    path = locate(argument, kind)
    if kind == "jsonl":  # the keys of its rows may differ
        return (row for _, row in jsonl.read(path))
    return (cells for _, cells in table_files.READERS[kind](path, EVERY))


def _check_header(path: str, is_record: bool) -> None:
    """Refuse a CSV file whose first line seems to be a record. It is not shown."""
    if is_record:
        raise DoppelError(
            "data.no_header",
            "the first line (hidden, for it may be a record) does not look like the names of columns",
            name="source",
            remedy="put a line with their names first; if it is one, say which column is the text: --text COLUMN",
            where=path,
        )
