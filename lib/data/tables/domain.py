"""The declared domain of a table: what each column may hold. It is never read off private rows.

A row is a JSON object with the columns in the order of the domain: categories are strings, numbers are rounded to the
declared decimals, and null is a missing value. Equal rows are equal texts.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.common.errors import DoppelError, nearest
from lib.data.spelling import spelled

NUMBER = ("low", "high", "decimals")  # the keys of a column of numbers
Value = str | float | int | None
Declared = Mapping[str, Sequence[str] | Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column may hold.

    Attributes:
        name: of the column.
        values: of a category, at least two; empty for numbers.
        low: least number.
        high: greatest number, above ``low``.
        decimals: digits behind the point, 0 for integers.
        missing: whether cells may be empty.
    """

    name: str
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    decimals: int = 0
    missing: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return not self.values

    def rounded(self, number: float) -> float | int:
        """A number brought into the range, with the declared decimals."""
        number = round(min(max(number, self.low), self.high), self.decimals)
        return number if self.decimals else int(number)


def columns_of(declared: Declared, missing: Sequence[str] = ()) -> list[Column]:
    """The columns of a declared domain, in its order.

    Args:
        declared: name -> list of different values, or ``{low: 0, high: 120, decimals: 0}`` for numbers.
        missing: names of the columns whose cells may be empty.

    Raises:
        DoppelError: there is no column, one has neither two values nor a range, or ``missing`` names none of them.
    """
    if not declared:
        remedy = "declare what each column may hold"
        raise DoppelError("data.no_columns", "columns declares no column", name="columns", remedy=remedy)
    if unknown := sorted(set(missing) - set(declared)):
        sentence = f"missing: {unknown[0]!r} is no declared column"
        remedy = nearest(unknown[0], declared)
        raise DoppelError("data.unknown_column", sentence, name="missing", value=unknown[0], remedy=remedy)
    return [_column(name, given, name in missing) for name, given in declared.items()]


def _column(name: str, given: Sequence[str] | Mapping[str, float], missing: bool) -> Column:
    if isinstance(given, Mapping):
        low, high, decimals = (given.get(key, 0.0) for key in NUMBER)
        if set(given) - set(NUMBER) or not {"low", "high"} <= set(given) or not low < high or decimals not in range(16):
            sentence = f"columns: {name} = {dict(given)} is no range of numbers"
            remedy = "write {low: 0, high: 120, decimals: 0}, with low below high and 0 to 15 decimals"
            raise DoppelError("data.column_range", sentence, name=name, remedy=remedy)
        return Column(name, (), float(low), float(high), int(decimals), missing)
    if len(set(map(spelled, given))) < max(2, len(given)):
        sentence = f"columns: {name} must be a list of at least two different values"
        remedy = "'1' and '1.0' are one value, 'True' and 'true' too"
        raise DoppelError("data.column_values", sentence, name=name, remedy=remedy)
    return Column(name, tuple(given), missing=missing)


def fit(cells: Mapping[str, Value], columns: Sequence[Column], where: str) -> dict[str, Value]:
    """A row as the domain declares it. What happens to it depends on that row alone.

    Args:
        cells: the row as its source has it; columns that are not declared are left out.
        columns: of the domain.
        where: the row's number, for refusals.

    Returns:
        Each declared column with a value of its domain, or None where it is missing. A number outside its range becomes
        the nearest end.

    Raises:
        DoppelError: a column is not there, a cell is empty where none may be, no number where there must be one, or a
            category that is not declared. No value is shown.
    """
    return {column.name: _fitted(column, cells, where) for column in columns}


def _fitted(column: Column, cells: Mapping[str, Value], where: str) -> Value:
    name = column.name
    if name not in cells:
        remedy = "declare the columns of the file"
        raise DoppelError("data.column_missing", f"no column {name!r}", name=name, remedy=remedy, where=where)
    cell = cells[name]
    text = "" if cell is None or (isinstance(cell, float) and math.isnan(cell)) else str(cell).strip()
    if not text:
        if column.missing:
            return None
        remedy = f"name it in missing: [{name}], or fill the cell"
        sentence = f"column {name!r} is empty, and missing values are not declared"
        raise DoppelError("data.cell_empty", sentence, name=name, remedy=remedy, where=where)
    if column.is_number:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            sentence = f"column {name!r} holds what is no number (value hidden)"
            remedy = "declare its values as a list"
            raise DoppelError("data.cell_no_number", sentence, name=name, remedy=remedy, where=where)
        return column.rounded(number)
    by_spelling = {spelled(value): value for value in column.values}
    if spelled(text) not in by_spelling:
        sentence = f"column {name!r} holds a value (hidden) outside the declared {list(column.values)[:12]}"
        remedy = "add the value to columns"
        raise DoppelError("data.label_outside_domain", sentence, name=name, remedy=remedy, where=where)
    return by_spelling[spelled(text)]


def as_text(row: Mapping[str, Value]) -> str:
    """A row as one JSON object."""
    return json.dumps(row, ensure_ascii=False)


def from_text(text: str) -> dict[str, Value]:
    """The row of a text that `as_text` made."""
    return json.loads(text)
