"""The files of a pack of texts hold the same records, as many as stated."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.release import texts

RECORDS = [Record(f"synthetic-{i:06d}", PrivateText(f"Text {i}."), {"mood": "glad"}) for i in range(5)]


def codes(folder: Path, stated: int = 5) -> list[str]:
    return [reason.code for reason in texts.read(folder, {"records": stated})[1]]


@pytest.mark.parametrize("labels", [{"mood": "glad"}, {}])
def test_what_is_written_is_read_again_with_and_without_labels(
    tmp_path: Path, labels: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "BATCH", 2)
    made = [Record(record.id, record.text, labels) for record in RECORDS]
    texts.write(tmp_path, made)
    assert texts.read(tmp_path, {"records": 5}) == (made, [])
    assert pq.read_table(tmp_path / "records.parquet").column_names == ["id", "text", *(["labels"] if labels else [])]


def test_another_number_than_stated_is_seen_and_no_more_is_read(tmp_path: Path) -> None:
    texts.write(tmp_path, RECORDS)
    for stated in (3, 6):
        found, wrong = texts.read(tmp_path, {"records": stated})
        assert [reason.code for reason in wrong] == ["release.number_of_records"] and len(found) <= stated + 1


@pytest.mark.parametrize("place", [0, 4])
def test_one_record_that_differs_in_the_other_file_is_seen(
    tmp_path: Path, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "BATCH", 2)
    texts.write(tmp_path, RECORDS)
    assert codes(tmp_path) == []
    other = [*RECORDS]
    other[place] = Record(other[place].id, PrivateText("Another."), {"mood": "glad"})
    pq.write_table(texts.table(other), tmp_path / "records.parquet")
    assert codes(tmp_path) == ["release.records_differ"]
    pq.write_table(texts.table(RECORDS[:4]), tmp_path / "records.parquet")
    assert codes(tmp_path) == ["release.records_differ"]
    records.write(tmp_path / "records.jsonl", RECORDS[::-1])
    pq.write_table(texts.table(RECORDS), tmp_path / "records.parquet")
    assert codes(tmp_path) == ["release.records_differ"]
