"""Shelves: what a list of the same records gives, in memory and on the disk."""

import os
import stat
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from lib.data import shelf, spill
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.shelf import Shelf
from lib.data.spill import Spill

TEXTS = ["plain", "two\nlines\u2028and more", "half a pair \ud83d", "", "é 漢字"]
RECORDS = [
    Record(f"r{i}", PrivateText(TEXTS[i % 5] * i), {"b": str(i), "a": "x"}, None if i % 3 else f"u{i}")
    for i in range(200)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (spill, shelf):
        monkeypatch.setattr(module, "FOLDER", tmp_path / "spill")
    monkeypatch.setattr(shelf, "BLOCK", 700)
    return tmp_path / "spill"


@pytest.mark.parametrize("in_memory", [1, 5_000, 10**9])
def test_a_shelf_reads_as_a_list(in_memory: int, folder: Path):
    made = Shelf(iter(RECORDS), in_memory)
    assert made._file.on_disk == (in_memory < 10**9) == folder.is_dir()
    assert list(made) == RECORDS == list(made) and len(made) == 200 and made == RECORDS and made != RECORDS[:-1]
    assert [*made[0].labels] == ["b", "a"], "in their order"
    assert (made[7], made[-1]) == (RECORDS[7], RECORDS[-1])
    for part in (slice(3, 9), slice(None, None, -7), slice(150, None), slice(9, 3), slice(190, 500)):
        assert made[part] == RECORDS[part]
    with pytest.raises(IndexError):
        made[200]
    both = zip(made, islice(made, 5, None), strict=False)
    assert all(pair == expected for pair, expected in zip(both, zip(RECORDS, RECORDS[5:], strict=False), strict=True))
    made.add(RECORDS[0])
    assert (len(made), made[200]) == (201, RECORDS[0]) and [*made][:-1] == RECORDS
    assert "plain" not in repr(made) and list(Shelf()) == []


def test_nothing_has_a_name_and_only_the_owner_may_look(folder: Path):
    made = Shelf(RECORDS, 1)
    assert made._file.on_disk and list(folder.iterdir()) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert os.fstat(made._file.fileno()).st_nlink == 0, "it goes with the process"


@pytest.mark.parametrize("in_memory", [1, 10**9])
def test_numbers_are_read_as_they_were_written(in_memory: int, folder: Path):
    file = Spill(in_memory)
    assert file.array(np.int32).tolist() == []
    numbers = np.arange(1000, dtype=np.int32)
    for part in np.array_split(numbers, 7):
        file.write(part.tobytes())
    assert isinstance(file.array(np.int32), np.memmap) == (in_memory == 1)
    np.testing.assert_array_equal(file.array(np.int32), numbers)
