"""Lines of JSON: packed or not, and refused by file and line where they are damaged, without a word of them."""

import gzip
import json
import random
from pathlib import Path

import pytest

from lib.common import jsonl
from lib.common.errors import DoppelError

SECRET = "Xanthippe-Quillfeather-0451"


def refusal(path: Path) -> str:
    with pytest.raises(DoppelError) as error:
        list(jsonl.read(path))
    assert SECRET not in str(error.value) and str(path) in str(error.value)
    return str(error.value)


def packed(lines: int = 2000) -> bytes:
    draw = random.Random(0)
    return gzip.compress(b"".join(b'{"a": %d}\n' % draw.getrandbits(64) for _ in range(lines)))


def test_packed_lines_are_those_that_were_packed(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n\n{"a": 2}'))
    assert list(jsonl.read(path)) == [(f"{path}, line 1", {"a": 1}), (f"{path}, line 3", {"a": 2})]


def test_a_packed_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    path, whole = tmp_path / "x.jsonl.gz", packed()
    for length in (len(whole) - 1, len(whole) - 8, len(whole) // 2, 12, 3):
        path.write_bytes(whole[:length])
        assert "packed, and cut off after line" in refusal(path), length


def test_what_is_called_packed_and_is_not_is_named(tmp_path: Path) -> None:
    path, whole = tmp_path / "x.jsonl.gz", packed()
    path.write_text(json.dumps({"text": SECRET}))
    assert "cannot be unpacked after line 0; fetch it again, or take .gz off its name" in refusal(path)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + b"\xff" * 100 + whole[middle + 100 :])  # zlib sees it
    assert "cannot be unpacked after line" in refusal(path)
    path.write_bytes(whole[:-8] + b"\0" * 8)  # its checksum
    assert "cannot be unpacked after line" in refusal(path)


@pytest.mark.parametrize("line", ["[" * 100_000, '{"a": ' * 100_000, '{"a": ' + "1" * 5000 + "}"])
def test_what_json_gives_up_on_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"a": 1}}\n{line}\n')
    assert "line 2: nested too deep, or a number of too many digits" in refusal(path)
