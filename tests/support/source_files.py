"""Files for the loaders of sources, and what tests ask of the records in them."""

import csv
import json
import traceback
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.common.errors import DoppelError
from lib.data.records import Record
from lib.data.sources import load

SECRET = "the marked private words"


def as_dicts(records: list[Record]) -> list[dict]:
    return [record.as_json() for record in records]


def write_csv(path: Path, rows: list[dict]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def write_jsonl(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_parquet(path: Path, rows: list[dict]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


WRITERS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


def refusal(code: str, source: str, **settings: object) -> DoppelError:
    """The refusal of a source, which must have this code; private text must not be in its words."""
    with pytest.raises(DoppelError) as error:
        load(source, **settings)
    assert error.value.code == code, error.value
    assert SECRET not in "".join(traceback.format_exception(error.value))
    return error.value
