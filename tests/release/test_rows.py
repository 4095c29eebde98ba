"""The files of a pack of rows: types and empty cells come back, and whatever lies outside the domain is seen."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.tables.domain import as_text
from lib.release import rows

DECLARED = {"age": {"low": 0, "high": 99}, "dose": {"low": 0, "high": 1, "decimals": 2}, "pet": ["cat", "a, b"]}
CERTIFICATE = {
    "records": 2,
    "code": {
        "16_table_evolution": {"settings": {"samples": 2}},
        "00_process_table": {"settings": {"columns": DECLARED, "missing": ["dose"], "label": "pet"}},
    },
}
ROWS = [{"age": 3, "dose": None, "pet": "a, b"}, {"age": 40, "dose": 0.25, "pet": "cat"}]
RECORDS = [Record("", PrivateText(as_text(row)), {"pet": row["pet"]}) for row in ROWS]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    rows.write(tmp_path, RECORDS, rows.domain_of(CERTIFICATE)[0])
    return tmp_path


def codes(folder: Path, certificate: dict = CERTIFICATE) -> list[str]:
    found, wrong = rows.read(folder, certificate)
    assert not (found and wrong)
    return [reason.code for reason in wrong]


def test_rows_come_back_with_their_types_and_labels(written: Path) -> None:
    assert rows.read(written, CERTIFICATE) == (RECORDS, [])
    assert pq.read_table(written / "records.parquet").to_pylist() == ROWS
    assert (written / "records.csv").read_text() == 'age,dose,pet\n3,,"a, b"\n40,0.25,cat\n'


@pytest.mark.parametrize(
    ("column", "value"), [("age", 100), ("age", None), ("dose", 0.125), ("pet", "dog"), ("pet", "CAT")]
)
def test_a_value_that_is_not_of_the_domain_is_seen(written: Path, column: str, value: object) -> None:
    """Out of its range, missing where nothing may be, with too many digits, not declared, in another spelling."""
    table = pq.read_table(written / "records.parquet")
    changed = [ROWS[0], ROWS[1] | {column: value}]
    pq.write_table(pa.Table.from_pylist(changed, table.schema), written / "records.parquet")
    assert codes(written) == ["release.row_wrong"]


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop_columns("dose"),
        lambda table: table.select(["pet", "age", "dose"]),
        lambda table: table.set_column(0, "age", pc.cast(table["age"], pa.float64())),
        lambda table: table.replace_schema_metadata({"note": "x"}),
    ],
    ids=["one less", "another order", "another type", "something hidden beside them"],
)
def test_other_columns_than_the_declared_ones_are_seen(written: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.read_table(written / "records.parquet")), written / "records.parquet")
    assert codes(written) == ["release.columns_wrong"]


def test_the_stated_number_and_the_other_file_are_compared(written: Path) -> None:
    assert codes(written, CERTIFICATE | {"records": 3}) == ["release.number_of_records"]
    (written / "records.csv").write_text((written / "records.csv").read_text().replace("40", "41"))
    assert codes(written) == ["release.records_differ"]
