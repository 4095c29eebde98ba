"""Records from CSV, JSONL and Parquet files of any columns."""

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lib.common import jsonl, paths
from lib.common.errors import DoppelError, nearest
from lib.data.records import MAX_CHARACTERS, Record, from_json, scan
from lib.data.sources.corpus import Corpus, Request, draw

FIELDS = ("text", "user", "id")  # and labels.NAME
Cells = tuple[str, dict[str, Any]]  # where the row stands (file and line), and its values by field
Columns = Mapping[str, str] | None  # field -> column


def load_table(request: Request) -> Corpus:
    """A file of rows; ``columns`` says where each field is, as ``{"text": "Review", "labels.rating": "Stars"}``.

    A field that ``columns`` leaves out is read from the column of its own name: ``text`` must be there, ``user``
    and ``id`` are read if they are. Without an id the row number is the id. A JSONL file in the record schema needs
    no columns. Raises DoppelError with file and line for a missing column, a malformed line and a bad encoding.
    """
    path = locate(request.argument)
    kept, counts = draw(_records(path, request), request)
    return Corpus(kept, [], path.name, f"{counts} of {path.name}", (path,))


def first_record(request: Request) -> Record:
    """The first record as `load_table` reads it: what is wrong with the columns shows without reading the file."""
    kept, _ = draw(islice(_records(locate(request.argument), request), 1), request)
    return kept[0]


def _records(path: Path, request: Request) -> Iterator[Record]:
    if request.kind == "jsonl" and request.columns is None and _in_record_schema(path):
        return scan(path)
    return to_records(READERS[request.kind](path, request.columns))


def locate(name: str) -> Path:
    """The file of that name, taken from the project root where it is relative."""
    path = paths.ROOT / Path(name).expanduser()
    if not path.is_file():
        raise DoppelError(f"source: {path}: no such file; give its path from the project root, or in full")
    return path


def check_fields(columns: Columns) -> None:
    """Refuse a key of ``columns`` that is no field of a record."""
    for name in columns or {}:
        if name not in FIELDS and not re.fullmatch(r"labels\..+", name):
            hint = "; " + nearest(name, [*FIELDS, "labels.NAME"])
            raise DoppelError(f"columns: {name!r} is not a field of a record{hint}; a label is written labels.{name}")


def resolve(columns: Columns, found: list[str], where: str) -> dict[str, str]:
    """Field -> column, every column checked against those that were found."""
    check_fields(columns)
    mapping = {"text": "text"} | {name: name for name in FIELDS if name in found} | dict(columns or {})
    for name, column in mapping.items():
        if column not in found:
            listed = ", ".join(found[:30])
            raise DoppelError(
                f"{where}: no column {column!r} for {name}; the columns are {listed}{_close(column, found)}. "
                f"Say which column it is: columns: {{{name}: COLUMN}}"
            )
        if found.count(column) > 1:
            raise DoppelError(f"{where}: {found.count(column)} columns are called {column!r}; rename all but one")
    return mapping


def _close(column: str, found: list[str]) -> str:
    hint = "; " + nearest(column, found)
    return hint if "did you mean" in hint else ""


def to_records(rows: Iterator[Cells]) -> Iterator[Record]:
    """Checked records; ids must differ."""
    seen: set[str] = set()
    for number, (where, cells) in enumerate(rows, 1):
        values = {name: clean(value, f"{where}: {name}") for name, value in cells.items() if name != "text"}
        name = values.get("id") if "id" in cells else str(number)
        if name is None:
            raise DoppelError(f"{where}: no id; give every row one, or map no column to id")
        if name in seen:
            raise DoppelError(f"{where}: its id stood in an earlier row; ids must differ")
        seen.add(name)
        labels = {f.removeprefix("labels."): v for f, v in values.items() if f.startswith("labels.") and v is not None}
        text = cells["text"] if cells["text"] is not None else ""
        yield from_json({"id": name, "text": text, "labels": labels, "user": values.get("user")}, where)


def clean(value: Any, where: str) -> str | None:
    """A cell as a string, ``'4'`` for 4, 4.0 and '4.0'; None where it is empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, list | dict | bytes):
        raise DoppelError(f"{where} holds a {type(value).__name__}; map a column of strings or numbers")
    return re.sub(r"^(-?\d+)\.0+$", r"\1", str(value).strip()) or None


def csv_cells(path: Path, columns: Columns) -> Iterator[Cells]:
    """The rows of a CSV file with a header line, in UTF-8 with or without a byte order mark."""
    csv.field_size_limit(MAX_CHARACTERS)
    start = 1  # the line on which the current row begins: a quoted cell may hold line breaks
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
                        f"{where}: {len(row)} cells, the header has {len(header)}; quote cells with commas"
                    )
                cells = dict(zip(header, row, strict=True))
                yield where, {name: cells[column] for name, column in mapping.items()}
        except csv.Error as error:
            raise DoppelError(f"{path}, line {start}: not CSV ({error}); check the quotes of this row") from None
        except UnicodeDecodeError:
            raise _bad_encoding(path) from None


def jsonl_cells(path: Path, columns: Columns) -> Iterator[Cells]:
    """The rows of a file with one JSON object a line."""
    mapping: dict[str, str] = {}
    for where, row in jsonl.read(path):
        mapping = mapping or resolve(columns, list(row), where)
        if missing := [column for column in mapping.values() if column not in row]:
            raise DoppelError(f"{where}: no {missing[0]!r}, which the first line has; write null where it is unknown")
        yield where, {name: row[column] for name, column in mapping.items()}


def parquet_cells(path: Path, columns: Columns) -> Iterator[Cells]:
    """The rows of a Parquet file, a thousand at a time; only the mapped columns are read."""
    try:
        file = pq.ParquetFile(path)
        mapping = resolve(columns, file.schema_arrow.names, str(path))
        number = 0
        for batch in file.iter_batches(batch_size=1000, columns=list(set(mapping.values()))):
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", {name: row[column] for name, column in mapping.items()}
    except (pa.ArrowException, OSError):
        raise DoppelError(f"{path}: not a whole Parquet file; write it again") from None


def _bad_encoding(path: Path) -> DoppelError:
    """The first line that is not UTF-8: the decoder alone knows only its place in a buffer."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                where = f"{path}, line {number}: not UTF-8 at byte {error.start}"
                return DoppelError(f"{where}; convert the file (iconv -f latin1 -t utf8, if it is Latin-1)")
    return DoppelError(f"{path}: not UTF-8; convert the file")


def _in_record_schema(path: Path) -> bool:
    first = next(jsonl.read(path), None)
    return first is not None and "labels" in first[1]


READERS: dict[str, Callable[[Path, Columns], Iterator[Cells]]] = {
    "csv": csv_cells,
    "jsonl": jsonl_cells,
    "parquet": parquet_cells,
}
