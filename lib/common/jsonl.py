"""Reads files with one JSON object a line."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lib.common import system
from lib.common.encoding import not_utf8
from lib.common.errors import DoppelError
from lib.common.files import write_atomic

LONGEST = 2**24  # bytes of a line: a longer one is no object of ours, and would be many times as large in memory


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSONL file, one by one. Blank lines are skipped but counted.

    Args:
        path: the file, in UTF-8 with or without a byte order mark; it is unpacked with gzip if its name ends in
            ``.gz``.

    Yields:
        where the object stands (``PATH, line 3``), and the object.

    Raises:
        DoppelError: with file and line, for bytes that are not UTF-8, a line that is not one JSON object or longer than
            `LONGEST`, and a packed file that is damaged or cut off; and for a file that may not be read. The line is
            never quoted.
    """
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        try:
            text = line.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise not_utf8((line for _, line in _lines(path)), path) from None
        if not text.strip(" \t\r\n"):
            continue
        if len(line) > LONGEST:
            sentence = f"the line has {len(line):,} bytes, at most {LONGEST:,} are read"
            raise DoppelError("common.line_too_long", sentence, value=len(line), remedy="split it", where=where)
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:  # its own words may quote a character
            sentence, remedy = f"not JSON at character {error.pos}", "write one object a line"
            raise DoppelError("common.not_json", sentence, remedy=remedy, where=where) from None
        except (RecursionError, ValueError):
            raise DoppelError(
                "common.json_too_large",
                "nested too deeply, or a number with too many digits",
                remedy="remove the line",
                where=where,
            ) from None
        if not isinstance(row, dict):
            sentence = f"a line holds one object, not {type(row).__name__}"
            raise DoppelError("common.not_an_object", sentence, remedy="write one object a line", where=where)
        yield where, row


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, packed or not, numbered from 1."""
    number = 0
    with system.refusals(path), gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            for number, line in enumerate(file, 1):
                yield number, line
        except EOFError:
            raise DoppelError(
                "common.gzip_cut_off",
                f"packed, and cut off after line {number}",
                value=number,
                remedy="fetch the whole file again",
                where=str(path),
            ) from None
        except (gzip.BadGzipFile, zlib.error):
            raise DoppelError(
                "common.gzip_damaged",
                f"cannot be unpacked after line {number}",
                value=number,
                remedy="fetch it again, or remove .gz from its name if it is not packed",
                where=str(path),
            ) from None


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write objects, one a line, whole or not at all.

    Args:
        path: the file.
        rows: what `json` can write.
    """
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
