"""The records of a pack of texts: records.jsonl, and the same as records.parquet."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lib.common.errors import Reason
from lib.data import records
from lib.data.records import Record

BATCH = 256  # records of the Parquet file that are compared at once


def write(folder: Path, rows: Sequence[Record]) -> None:
    """Write both files into a ``folder`` that exists; there are n >= 1 records."""
    records.write(folder / "records.jsonl", rows)
    pq.write_table(table(rows), folder / "records.parquet", compression="zstd")


def table(rows: Sequence[Record]) -> pa.Table:
    """Records as a table.

    Args:
        rows: n >= 1 records with the same labels.

    Returns:
        n rows: ``id``, ``text``, and ``labels`` where there are any, for Parquet has no empty structure.
    """
    labels = list(rows[0].labels)
    fields = [("id", pa.string()), ("text", pa.string())]
    if labels:
        fields.append(("labels", pa.struct([(label, pa.string()) for label in labels])))
    lines = [row.as_json() if labels else {"id": row.id, "text": row.text.reveal()} for row in rows]
    return pa.Table.from_pylist(lines, schema=pa.schema(fields))


def read(folder: Path, certificate: Mapping) -> tuple[list[Record], list[Reason]]:
    """The records of a pack, and what is wrong with them.

    Args:
        folder: of the pack; its files are regular ones of a bounded size.
        certificate: of the pack, whose values make sense.

    Returns:
        One record more than are stated at most; and a reason where there are not as many as stated, and where the two
        files do not hold the same.
    """
    lines = list(islice(records.scan(folder / "records.jsonl"), certificate["records"] + 1))
    if len(lines) != certificate["records"]:
        sentence = f"records: {certificate['records']} are stated, records.jsonl does not hold as many"
        return lines, [Reason("release.number_of_records", sentence)]
    if not _same(lines, folder / "records.parquet"):
        sentence = "records.parquet does not hold the records of records.jsonl"
        return lines, [Reason("release.records_differ", sentence)]
    return lines, []


def _same(lines: Sequence[Record], parquet: Path) -> bool:
    """Whether a Parquet file holds these records, read in parts: it may be far larger than it looks."""
    with pq.ParquetFile(parquet) as file:
        if file.metadata.num_rows != len(lines):
            return False
        start = 0
        for batch in file.iter_batches(batch_size=BATCH):
            part = lines[start : start + batch.num_rows]
            if [{"labels": {}} | row for row in batch.to_pylist()] != [record.as_json() for record in part]:
                return False
            start += batch.num_rows
    return start == len(lines)
