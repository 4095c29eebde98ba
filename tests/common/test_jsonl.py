"""Lines of JSON, packed or not: refused by file and line where they are damaged, and never quoted."""

import gzip
import json
import random
from pathlib import Path

import pytest
from support.errors import refused

from lib.common import jsonl
from lib.common.errors import DoppelError

SECRET = "Xanthippe-Quillfeather-0451"


def refusal(code: str, path: Path) -> DoppelError:
    with refused(code) as error:
        list(jsonl.read(path))
    assert SECRET not in str(error.value) and error.value.where.startswith(str(path))
    return error.value


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
        refusal("common.gzip_cut_off", path)


def test_what_is_called_packed_and_is_not_is_named(tmp_path: Path) -> None:
    path, whole = tmp_path / "x.jsonl.gz", packed()
    path.write_text(json.dumps({"text": SECRET}))
    assert refusal("common.gzip_damaged", path).value == 0
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + b"\xff" * 100 + whole[middle + 100 :])  # zlib sees it
    refusal("common.gzip_damaged", path)
    path.write_bytes(whole[:-8] + b"\0" * 8)  # its checksum
    refusal("common.gzip_damaged", path)


@pytest.mark.parametrize("line", ["[" * 100_000, '{"a": ' * 100_000, '{"a": ' + "1" * 5000 + "}"])
def test_what_json_gives_up_on_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"a": 1}}\n{line}\n')
    assert refusal("common.json_too_large", path).where == f"{path}, line 2"


@pytest.mark.parametrize(
    ("line", "code", "fact"),
    [
        (f'{{"text": "{SECRET}"'.encode(), "common.not_json", "at character"),
        (b'["a"]', "common.not_an_object", "not list"),
        (b'{"a": "caf\xe9"}', "common.not_utf8", "at byte 10"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: bytes, code: str, fact: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n\n' + line + b"\n")
    error = refusal(code, path)
    assert error.where == f"{path}, line 3" and fact in error.sentence
