"""The records of a pack of table rows: records.parquet with the types of the declared columns, and records.csv."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lib.common.errors import DoppelError, Reason
from lib.common.files import write_atomic
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.tables.domain import Column, Value, as_text, columns_of, fit, from_text

BATCH = 256  # rows that are compared at once


def write(folder: Path, records: Sequence[Record], columns: Sequence[Column]) -> None:
    """Write both files into a folder that exists.

    Args:
        folder: of the pack.
        records: n >= 1 records whose text is a row (`lib.data.tables.domain.as_text`).
        columns: the declared domain.
    """
    rows = [from_text(record.text.reveal()) for record in records]
    pq.write_table(pa.Table.from_pylist(rows, _schema(columns)), folder / "records.parquet", compression="zstd")
    write_atomic(folder / "records.csv", _csv(rows, columns))


def domain_of(certificate: Mapping) -> tuple[list[Column], str | None]:
    """The declared columns of a certificate whose values make sense, and which of them is the label.

    Raises:
        DoppelError: they make no domain.
        StopIteration: no stage declares any.
    """
    settings = next(code["settings"] for code in certificate["code"].values() if "columns" in code["settings"])
    return columns_of(settings["columns"], settings["missing"]), settings["label"]


def read(folder: Path, certificate: Mapping) -> tuple[list[Record], list[Reason]]:
    """The rows of a pack as records, and what is wrong with them.

    Args:
        folder: of the pack; its files are regular ones of a bounded size.
        certificate: of the pack, whose values make sense.

    Returns:
        The rows, none where there is a reason: other columns than the declared ones, not as many rows as stated, a
        value outside the domain, or two files that do not hold the same.
    """
    columns, label = domain_of(certificate)
    rows: list[dict[str, Value]] = []
    with pq.ParquetFile(folder / "records.parquet") as file:
        if not file.schema_arrow.equals(_schema(columns), check_metadata=True):
            sentence = "records.parquet has other columns than the declared ones"
            return [], [Reason("release.columns_wrong", sentence)]
        if file.metadata.num_rows != certificate["records"]:
            sentence = f"records: {certificate['records']} are stated, records.parquet does not hold as many"
            return [], [Reason("release.number_of_records", sentence)]
        for batch in file.iter_batches(batch_size=BATCH):
            for row in batch.to_pylist():
                if not _fits(row, columns):
                    sentence = f"records.parquet: row {len(rows) + 1} is not within the declared domain"
                    return [], [Reason("release.row_wrong", sentence)]
                rows.append(row)
    if (folder / "records.csv").read_bytes() != _csv(rows, columns).encode():
        return [], [Reason("release.records_differ", "records.csv does not hold the rows of records.parquet")]
    return [_record(row, label) for row in rows], []


def _fits(row: Mapping[str, Value], columns: Sequence[Column]) -> bool:
    try:
        return fit(row, columns, "") == row
    except DoppelError:
        return False


def _record(row: Mapping[str, Value], label: str | None) -> Record:
    return Record("", PrivateText(as_text(row)), {} if label is None else {label: str(row[label])})


def _schema(columns: Sequence[Column]) -> pa.Schema:
    def kind(column: Column) -> pa.DataType:
        return (pa.float64() if column.decimals else pa.int64()) if column.is_number else pa.string()

    return pa.schema([(column.name, kind(column)) for column in columns])


def _csv(rows: Sequence[Mapping[str, Value]], columns: Sequence[Column]) -> str:
    """The rows behind a line of names; an empty cell is a missing value."""
    file = io.StringIO()
    writer = csv.DictWriter(file, [column.name for column in columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
