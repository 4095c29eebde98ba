"""Seeds of made-up persons: drawn from ``prompts/private_records/seeds.yaml``, or read from a user's file."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BaseModel, Field

from lib.common.errors import DoppelError, Faults, nearest
from lib.data import sources
from lib.data.hash_order import rank
from lib.data.sources.columns import EVERY, Cells
from lib.data.sources.source_file import locate
from lib.data.sources.table_files import READERS, clean
from lib.data.spelling import listed
from lib.generation.prompt_parts import STRICT, Text
from lib.pii.writing.grammar import checked
from lib.privacy.disclosure import PUBLIC
from lib.privacy.public_source import undeclared

FILE = Path("prompts/private_records/seeds.yaml")
YEARS = (2000, 2023)  # of the day on which a text is written: the first and the last
AGES = (19, 85)  # years, as they are drawn
GIVEN_YEARS, GIVEN_AGES = (1970, 2099), (18, 89)  # that a user's file may have: those that `lib.pii` has persons for
LONGEST = 60  # characters of a value that a user's file brings
SHOWN = 10  # faults of a file that are told

Shares = Annotated[dict[Text, Annotated[int, Field(gt=0)]], Field(min_length=1)]
Seed = dict[str, str]
Ordered = TypeVar("Ordered", int, date)

COLUMNS = (
    "first_name", "date", "age", "country", "sex", "marital_status", "income_class", "morality", "native_language",
    "blood_type", "disability",
)  # fmt: skip
CLOSED = ("country", "sex", "income_class", "morality", "blood_type")  # columns whose values are those of the table
_PLAIN = re.compile(rf"[^\[\]\s](?:[^\[\]\r\n]{{0,{LONGEST - 2}}}[^\[\]\s])?")


class _File(BaseModel):
    model_config = STRICT
    sex: Shares
    marital_status: Shares
    income_class: Shares
    morality: Shares
    native_language: Shares
    blood_type: Shares
    disability: Shares
    ethnicity: Shares
    countries: dict[Text, Annotated[list[Text], Field(min_length=2, max_length=2)]]


class Country(NamedTuple):
    """Where a person lives.

    Attributes:
        name: ``United Kingdom``.
        locale: of lib/pii: ``en_GB``.
        citizen: ``British``.
    """

    name: str
    locale: str
    citizen: str


class Table:
    """The lists that seeds are drawn from.

    Args:
        path: of the YAML file.

    Raises:
        DoppelError: ``pii.file_shape``.
    """

    def __init__(self, path: Path = FILE):
        file = checked(_File, path)
        self.countries = {name: Country(name, *pair) for name, pair in file.countries.items()}
        self._lists: dict[str, dict[str, int]] = file.model_dump(exclude={"countries"})

    def pick(self, column: str, rng: Random) -> str:
        """A value of a list.

        Args:
            column: its name.
            rng: draws it.
        """
        values = self._lists[column]
        return rng.choices(list(values), list(values.values()))[0]

    def known(self, column: str) -> list[str]:
        """The values of a column in `CLOSED`, in the order of the file."""
        return list(self.countries if column == "country" else self._lists[column])

    def complete(self, given: Mapping[str, str], seed: int, countries: Mapping[str, float]) -> Seed:
        """A whole seed but for the first name, which `lib.private_records.people` draws where it is not given.

        Args:
            given: columns that a user's file has, checked.
            seed: of the record. Each column has a stream of its own, so that what is given changes no other column.
            countries: share of each country, above 0.
        """

        def stream(column: str) -> Random:
            return Random(rank(seed, "private_records.seed", column))

        drawn: dict[str, Callable[[Random], str]] = {
            "date": lambda rng: _day(rng).isoformat(),
            "age": lambda rng: str(rng.randint(*AGES)),
            "country": lambda rng: rng.choices(list(countries), list(countries.values()))[0],
        }
        row: Seed = {}
        for column in COLUMNS:
            if column in given:
                row[column] = given[column]
            elif column != "first_name":
                rng = stream(column)
                row[column] = drawn[column](rng) if column in drawn else self.pick(column, rng)
        return row


def check_countries(countries: Mapping[str, float], table: Table) -> None:
    """Refuse shares that cannot be drawn from, and countries that the table has not.

    Args:
        countries: share of each.
        table: of seeds.

    Raises:
        DoppelError: ``private_records.countries``.
    """
    for name in countries:
        if name not in table.countries:
            raise DoppelError(
                "private_records.countries",
                f"countries: {name!r} is not known",
                name="countries",
                value=name,
                remedy=nearest(name, table.countries),
            )
    if not countries or not all(share > 0 for share in countries.values()):
        raise DoppelError(
            "private_records.countries",
            "countries: each country has a share above 0, and there is at least one",
            name="countries",
            value=dict(countries),
            remedy="write countries: {United States: 0.7, United Kingdom: 0.3}",
        )


def file_of(declared: str) -> tuple[str, Path]:
    """The kind and the path of a user's file.

    The records are about the people of this file, and nothing protects them: so it must be declared public.

    Args:
        declared: ``public:csv:PATH``, ``public:jsonl:PATH`` or ``public:parquet:PATH``.

    Raises:
        DoppelError: as of `lib.privacy.public_source.undeclared` and `lib.data.sources.source_file.locate`, and
            ``private_records.seeds_kind`` for a source that is no file.
    """
    kind, path = sources.parse(undeclared("seeds", declared, own=None))
    if kind not in READERS:
        raise DoppelError(
            "private_records.seeds_kind",
            f"seeds: {kind} is no table of people",
            name="seeds",
            value=declared,
            remedy=f"name a file: {', '.join(f'{PUBLIC}{one}:PATH' for one in READERS)}",
        )
    return kind, locate(path, kind)


def read(declared: str, table: Table) -> list[Seed]:
    """The seeds of a user's file, column by column as they are given; what is empty or missing is drawn later.

    Args:
        declared: as `file_of` takes it: a CSV file with a header line, JSONL or Parquet.
        table: says what the columns in `CLOSED` may hold.

    Returns:
        A row for each person: column -> value.

    Raises:
        DoppelError: ``private_records.seed_column`` for a column that no seed has, ``private_records.seed_value`` for
            a value that cannot be used, with its row and without the value; all that `lib.data.sources` refuses.
    """
    kind, file = file_of(declared)
    faults, rows = Faults(), []
    for where, cells in _named(READERS[kind](file, EVERY), str(file)):
        row: Seed = {}
        for column, value in cells.items():
            with faults:
                if (cell := clean(value, column, where)) is not None:
                    row[column] = _checked(column, cell, table, where)
        rows.append(row)
        if len(faults.found) >= SHOWN:
            break
    faults.raise_any()
    if not rows:
        raise DoppelError(
            "private_records.no_seeds", "no row", name="seeds", remedy="write a row for each person", where=str(file)
        )
    return rows


def _named(rows: Iterable[Cells], file: str) -> Iterator[Cells]:
    """The rows; refuses columns that are none of a seed's. Of a first line that may be a person, no cell is shown."""
    for where, cells in rows:
        for column in cells:
            if column not in COLUMNS:
                is_header = any(name in COLUMNS for name in cells)
                shown = listed([column]) if is_header else "the first (hidden, for it may be data)"
                raise DoppelError(
                    "private_records.seed_column",
                    f"column {shown} is none of a seed's",
                    name="seeds",
                    value=column if is_header else None,
                    remedy=f"{nearest(column, COLUMNS)}; the columns are {', '.join(COLUMNS)}"
                    if is_header
                    else f"put a line of names first: {', '.join(COLUMNS)}",
                    where=file,
                )
        yield where, cells


def _checked(column: str, cell: str, table: Table, where: str) -> str:
    """A cell in the one spelling of its column."""
    if column == "date":
        return _in_range(column, _read_day(cell), (date(GIVEN_YEARS[0], 1, 1), date(GIVEN_YEARS[1], 12, 31)), where)
    if column == "age":
        return _in_range(column, int(cell) if re.fullmatch("[0-9]{1,3}", cell) else None, GIVEN_AGES, where)
    if column in CLOSED:
        spelled = {value.casefold(): value for value in table.known(column)}
        if cell.casefold() not in spelled:
            raise _bad_value(column, f"one of {', '.join(spelled.values())}", where)
        return spelled[cell.casefold()]
    if not _PLAIN.fullmatch(cell):
        raise _bad_value(column, f"up to {LONGEST} characters on one line, without square brackets", where)
    return cell


def _in_range(column: str, value: Ordered | None, bounds: tuple[Ordered, Ordered], where: str) -> str:
    if value is None or not bounds[0] <= value <= bounds[1]:
        raise _bad_value(column, f"from {bounds[0]} to {bounds[1]}", where)
    return str(value)


def _bad_value(column: str, allowed: str, where: str) -> DoppelError:
    return DoppelError(
        "private_records.seed_value",
        f"{column} (value hidden) must be {allowed}",
        name=column,
        remedy="mend the cell, or leave it empty to have it drawn",
        where=where,
    )


def _read_day(cell: str) -> date | None:
    try:
        return datetime.fromisoformat(cell).date()
    except ValueError:
        return None


def _day(rng: Random) -> date:
    first, last = date(YEARS[0], 1, 1), date(YEARS[1], 12, 31)
    return date.fromordinal(rng.randint(first.toordinal(), last.toordinal()))
