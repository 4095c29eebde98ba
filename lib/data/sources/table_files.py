"""Records from CSV, JSONL and Parquet files with any columns."""

import csv
import math
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lib.common import jsonl, paths
from lib.common.errors import DoppelError
from lib.data.records import MAX_CHARACTERS, Record, from_json, scan
from lib.data.sources.corpus import FIELDS, Columns, Corpus, SourceRequest, check_fields, draw

Cells = tuple[str, dict[str, Any]]  # where the row is (file and line), and its values by field


def load_table(request: SourceRequest) -> Corpus:
    """Load a file of rows.

    A field that ``columns`` leaves out is read from the column of its own name: ``text`` must be there, ``user`` and
    ``id`` are read if they are. Without an id, the row number is the id. A JSONL file in the record schema needs no
    columns.

    Args:
        request: its ``kind`` is a key of `READERS`, its ``argument`` the path, and its ``columns`` map fields to
            columns: ``{"text": "Review", "labels.rating": "Stars"}``.

    Raises:
        DoppelError: with file and line for a missing column, a malformed line and a wrong encoding.
    """
    path = locate(request.argument)
    kept, counts = draw(_records(path, request), request)
    return Corpus(kept, [], path.name, f"{counts} of {path.name}", (path,))


def first_record(request: SourceRequest) -> Record:
    """The first record of the ``request`` as `load_table` reads it, so that wrong columns show at once.

    Raises:
        DoppelError: for a missing file, a file without a record, and whatever `load_table` refuses up to there.
    """
    kept, _ = draw(islice(_records(locate(request.argument), request), 1), request)
    return kept[0]


def _records(path: Path, request: SourceRequest) -> Iterator[Record]:
    if request.kind == "jsonl" and request.columns is None and _in_record_schema(path):
        return scan(path)
    return to_records(READERS[request.kind](path, request.columns))


def locate(name: str) -> Path:
    """The file called ``name``, a path from the project root or in full; raises DoppelError where it is missing."""
    path = paths.ROOT / Path(name).expanduser()
    if not path.is_file():
        raise DoppelError(
            "data.no_file",
            f"{path}: no such file",
            name="source",
            value=name,
            remedy="give its path from the project root, or in full",
            where="source",
        )
    return path


def resolve(columns: Columns, present: list[str], where: str) -> dict[str, str]:
    """Decide which column each field is read from.

    Args:
        columns: field -> column, as the user gives them; a field that is left out is read from the column of its name.
        present: the columns of the file.
        where: the file, put before every message.

    Returns:
        field -> column; ``text`` is always among the fields.

    Raises:
        DoppelError: for a column that is not there, or there twice.
    """
    check_fields(columns)
    mapping = {"text": "text"} | {name: name for name in FIELDS if name in present} | dict(columns or {})
    for field, column in mapping.items():
        if column not in present:
            close = get_close_matches(column, sorted(present), n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise DoppelError(
                "data.column_missing",
                f"no column {column!r} for {field}; the columns are {', '.join(present[:30])}",
                name=field,
                value=column,
                remedy=f"{hint}say which column it is: columns: {{{field}: COLUMN}}",
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


def to_records(rows: Iterator[Cells]) -> Iterator[Record]:
    """Make ``rows`` records, each checked.

    Raises:
        DoppelError: with file and line for a row without an id, an id that occurs twice, a cell that is no string or
            number, and whatever `lib.data.records.from_json` refuses.
    """
    seen: set[str] = set()
    for number, (where, cells) in enumerate(rows, 1):
        values = {field: clean(value, field, where) for field, value in cells.items() if field != "text"}
        name = values.get("id") if "id" in cells else str(number)
        if name is None:
            remedy = "give every row one, or map no column to id"
            raise DoppelError("data.id_missing", "no id", name="id", remedy=remedy, where=where)
        if name in seen:
            sentence = "its id is that of an earlier row; ids must differ"
            raise DoppelError("data.duplicate_id", sentence, name="id", where=where)
        seen.add(name)
        labels = {f.removeprefix("labels."): v for f, v in values.items() if f.startswith("labels.") and v is not None}
        text = cells["text"] if cells["text"] is not None else ""
        yield from_json({"id": name, "text": text, "labels": labels, "user": values.get("user")}, where)


def clean(value: Any, field: str, where: str) -> str | None:
    """A cell as a string: ``'4'`` for 4, 4.0 and '4.0'; None where it is empty.

    Args:
        value: the cell.
        field: the field of the record that it goes into.
        where: file and line, put before the message.

    Raises:
        DoppelError: for a list, a dict or bytes.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, list | dict | bytes):
        raise DoppelError(
            "data.cell_type",
            f"{field} holds a {type(value).__name__}",
            name=field,
            value=type(value).__name__,
            remedy="map a column of strings or numbers",
            where=where,
        )
    return re.sub(r"^(-?\d+)\.0+$", r"\1", str(value).strip()) or None


def csv_cells(path: Path, columns: Columns) -> Iterator[Cells]:
    """The rows of a CSV file with a header line, in UTF-8 with or without a byte order mark.

    Args:
        path: the file.
        columns: field -> column, as in `resolve`.
    """
    csv.field_size_limit(MAX_CHARACTERS)
    start = 1  # the line on which the current row begins; a quoted cell may hold line breaks
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            header = next(rows, [])
            mapping = resolve(columns, header, str(path))
            start = rows.line_num + 1
            for row in rows:
                where = f"{path}, line {start}"
                start = rows.line_num + 1
                if not row:
                    continue
                if len(row) != len(header):
                    raise DoppelError(
                        "data.csv_row_length",
                        f"{len(row)} cells, the header has {len(header)}",
                        value=len(row),
                        remedy="quote cells with commas",
                        where=where,
                    )
                cells = dict(zip(header, row, strict=True))
                yield where, {field: cells[column] for field, column in mapping.items()}
        except csv.Error as error:
            where, remedy = f"{path}, line {start}", "check the quotes of this row"
            raise DoppelError("data.not_csv", f"not CSV ({error})", remedy=remedy, where=where) from None
        except UnicodeDecodeError:
            raise _bad_encoding(path) from None


def jsonl_cells(path: Path, columns: Columns) -> Iterator[Cells]:
    """The rows of a file with one JSON object a line.

    Args:
        path: the file.
        columns: field -> column, as in `resolve`; every row must have the columns that are mapped.
    """
    mapping: dict[str, str] = {}
    for where, row in jsonl.read(path):
        mapping = mapping or resolve(columns, list(row), where)
        if missing := [column for column in mapping.values() if column not in row]:
            raise DoppelError(
                "data.key_missing",
                f"no {missing[0]!r}, which the first line has",
                name=missing[0],
                remedy="write null where it is unknown",
                where=where,
            )
        yield where, {field: row[column] for field, column in mapping.items()}


def parquet_cells(path: Path, columns: Columns) -> Iterator[Cells]:
    """The rows of a Parquet file, read a thousand at a time and only in the mapped columns.

    Args:
        path: the file.
        columns: field -> column, as in `resolve`.
    """
    try:
        file = pq.ParquetFile(path)
        mapping = resolve(columns, file.schema_arrow.names, str(path))
        number = 0
        for batch in file.iter_batches(batch_size=1000, columns=list(set(mapping.values()))):
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", {field: row[column] for field, column in mapping.items()}
    except (pa.ArrowException, OSError):
        sentence, remedy = "not a complete Parquet file", "write it again"
        raise DoppelError("data.not_parquet", sentence, remedy=remedy, where=str(path)) from None


def _bad_encoding(path: Path) -> DoppelError:
    """The refusal of the first line that is not UTF-8; the decoder itself knows only a position in a buffer."""
    remedy = "convert the file (iconv -f latin1 -t utf8, if it is Latin-1)"
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                sentence, where = f"not UTF-8 at byte {error.start}", f"{path}, line {number}"
                return DoppelError("data.not_utf8", sentence, remedy=remedy, where=where)
    return DoppelError("data.not_utf8", "not UTF-8", remedy=remedy, where=str(path))


def _in_record_schema(path: Path) -> bool:
    first = next(jsonl.read(path), None)
    return first is not None and "labels" in first[1]


READERS: dict[str, Callable[[Path, Columns], Iterator[Cells]]] = {
    "csv": csv_cells,
    "jsonl": jsonl_cells,
    "parquet": parquet_cells,
}
