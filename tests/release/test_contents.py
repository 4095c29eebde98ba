"""The records of a pack are written and read by what the arm is made of."""

from pathlib import Path

import pytest
from support.image_toys import private

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.tables.domain import as_text
from lib.release import contents, pictures
from lib.release.certificate import LABELLED

TABLE = {"columns": {"n": {"low": 0, "high": 9}}, "missing": [], "label": None}
CORPUS = {"width": 14, "height": 14, "colours": False, "label_domain": {"digit": ["1", "7"]}}
TEXT_ROWS = [Record("synthetic-000000", PrivateText("One."), {}), Record("synthetic-000001", PrivateText("Two."), {})]
TABLE_ROWS = [Record("", PrivateText(as_text({"n": n})), {}) for n in (1, 2)]


def certificate(stage: str, files: tuple[str, ...] = (), **settings: object) -> dict:
    return {"stage": stage, "records": 2, "files": dict.fromkeys(files), "code": {"00": {"settings": settings}}}


@pytest.mark.parametrize(
    ("whole", "records", "files"),
    [
        (certificate("11_generate.a"), TEXT_ROWS, {"records.jsonl", "records.parquet"}),
        (certificate("15_image_evolution.a", **CORPUS), private(2), {"records.parquet"}),
        (certificate("16_table_evolution.a", **TABLE), TABLE_ROWS, {"records.csv", "records.parquet"}),
    ],
    ids=["texts", "pictures", "rows"],
)
def test_what_is_written_is_read_again(tmp_path: Path, whole: dict, records: list, files: set[str]) -> None:
    shown = contents.write(tmp_path, whole, records)
    assert {path.name for path in tmp_path.iterdir()} == files
    assert contents.read(tmp_path, whole) == (shown, [])
    assert shown == (pictures.of(records) if "image" in whole["stage"] else records)
    assert [reason.code for reason in contents.read(tmp_path, whole | {"records": 3})[1]] == [
        "release.number_of_records"
    ]


def test_labels_are_looked_at_where_the_certificate_lists_them(tmp_path: Path) -> None:
    whole = certificate("40_pii_text", files=(LABELLED,))
    contents.write(tmp_path, whole, TEXT_ROWS)
    (tmp_path / LABELLED).write_text('{"id": "synthetic-000000", "source_text": "One!"}\n')
    assert [reason.code for reason in contents.read(tmp_path, whole)[1]] == ["release.labels_of_others"]
    assert contents.read(tmp_path, whole | {"files": {}})[1] == []
