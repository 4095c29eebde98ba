"""Records from CSV, JSONL and Parquet files with any columns."""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lib.common import jsonl, system
from lib.common.encoding import not_utf8
from lib.common.errors import DoppelError
from lib.data.records import Ids, Record, from_json, scan
from lib.data.sources.columns import Cells, cells_by_key, resolve
from lib.data.sources.corpus import Columns, Corpus, SourceRequest, draw
from lib.data.sources.source_file import locate

LONGEST_CELL = 2**31 - 1  # characters, the most that the csv module takes everywhere; long texts are refused later
READ_AS_LATIN1 = re.compile("[\x80\x82-\x84\x86-\x8c\x8e\x91-\x9c\x9e\x9f]")  # what Windows-1252 has as signs


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
    path = locate(request.argument, request.kind)
    kept, counts = draw(_records(path, request), request)
    return Corpus(kept, [], path.name, f"{counts} of {path.name}", (path,))


def first_record(request: SourceRequest) -> Record:
    """The first record of the ``request`` as `load_table` reads it, so that wrong columns show at once.

    Raises:
        DoppelError: for a missing file, a file without a record, and whatever `load_table` refuses up to there.
    """
    kept, _ = draw(islice(_records(locate(request.argument, request.kind), request), 1), request)
    return kept[0]


def _records(path: Path, request: SourceRequest) -> Iterator[Record]:
    if request.kind == "jsonl" and request.columns is None and _in_record_schema(path):
        return _well_decoded(scan(path), path)
    return _well_decoded(to_records(READERS[request.kind](path, request.columns)), path)


def _well_decoded(records: Iterable[Record], path: Path) -> Iterator[Record]:
    """The records; refuses a text whose quotes and dashes became control characters, which cleaning would remove."""
    for number, record in enumerate(records, 1):
        if READ_AS_LATIN1.search(record.text.reveal()):
            raise DoppelError(
                "data.read_as_latin1",
                "the text has control characters (0x80 to 0x9f), as where Windows-1252 was read as Latin-1",
                name="text",
                remedy="convert the original again, from cp1252 (Windows-1252) in place of latin1",
                where=f"{path}, record {number}",
            )
        yield record


def to_records(rows: Iterator[Cells]) -> Iterator[Record]:
    """Make ``rows`` records, each checked.

    Raises:
        DoppelError: with file and line for a row without an id, a cell that is no string or number, and whatever
            `lib.data.records.from_json` refuses; behind the last row, for an id that occurs twice.
    """
    ids = Ids()
    for number, (where, cells) in enumerate(rows, 1):
        values = {field: clean(value, field, where) for field, value in cells.items() if field != "text"}
        name = values.get("id") if "id" in cells else str(number)
        if name is None:
            remedy = "give every row one, or map no column to id"
            raise DoppelError("data.id_missing", "no id", name="id", remedy=remedy, where=where)
        if "id" in cells:
            ids.add(name, where)
        labels = {f.removeprefix("labels."): v for f, v in values.items() if f.startswith("labels.") and v is not None}
        text = cells["text"] if cells["text"] is not None else ""
        yield from_json({"id": name, "text": text, "labels": labels, "user": values.get("user")}, where)
    ids.check()


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
    csv.field_size_limit(LONGEST_CELL)
    start = 1  # the line on which the current row begins; a quoted cell may hold line breaks
    with system.refusals(path), path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            header = next(filter(None, rows), [])
            mapping = resolve(columns, header, str(path), first_line=True)
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
            with path.open("rb") as lines:
                raise not_utf8(lines, path) from None


def jsonl_cells(path: Path, columns: Columns) -> Iterator[Cells]:
    """The rows of a file with one JSON object a line.

    Args:
        path: the file.
        columns: field -> column, as in `cells_by_key`.
    """
    return cells_by_key(jsonl.read(path), columns)


def parquet_cells(path: Path, columns: Columns) -> Iterator[Cells]:
    """The rows of a Parquet file, read a thousand at a time and only in the mapped columns.

    Args:
        path: the file.
        columns: field -> column, as in `resolve`.
    """
    number = 0
    try:
        file = pq.ParquetFile(path)
        mapping = resolve(columns, file.schema_arrow.names, str(path))
        for batch in file.iter_batches(batch_size=1000, columns=list(set(mapping.values()))):
            values = {field: python_values(batch.column(c), field, path, number) for field, c in mapping.items()}
            for row in range(batch.num_rows):
                number += 1
                yield f"{path}, row {number}", {field: values[field][row] for field in mapping}
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        sentence, remedy = f"not a whole Parquet file ({type(error).__name__})", "write it again"
        raise DoppelError("data.not_parquet", sentence, remedy=remedy, where=str(path)) from None


def python_values(column: pa.Array | pa.ChunkedArray, field: str, source: object, before: int) -> list[Any]:
    """The values of a column in a batch.

    Args:
        column: of the batch.
        field: the field of the record that it goes into.
        source: the file or dataset, put before every message.
        before: rows of the source before this batch.

    Raises:
        DoppelError: with the row, for text that is not UTF-8 and for a value that Python cannot hold.
    """
    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):  # else 1.1 becomes 1.100000023841858
        return [float(str(value)) for value in column.to_numpy(zero_copy_only=False)]
    values: list[Any] = []
    try:
        for value in column:
            values.append(value.as_py())
    except (ValueError, OverflowError, pa.ArrowException) as error:
        where = f"{source}, row {before + len(values) + 1}"
        if isinstance(error, UnicodeDecodeError):
            remedy = "write the file again with its text decoded, as cp1252 if it is Western European"
            raise DoppelError(
                "data.text_not_utf8", f"{field} is not UTF-8", name=field, remedy=remedy, where=where
            ) from None
        sentence, remedy = f"{field} holds a value out of Python's range", "map a column of strings or numbers"
        raise DoppelError("data.cell_type", sentence, name=field, remedy=remedy, where=where) from None
    return values


def _in_record_schema(path: Path) -> bool:
    first = next(jsonl.read(path), None)
    return first is not None and "labels" in first[1]


READERS: dict[str, Callable[[Path, Columns], Iterator[Cells]]] = {
    "csv": csv_cells,
    "jsonl": jsonl_cells,
    "parquet": parquet_cells,
}
