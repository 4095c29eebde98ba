"""Reads files with one JSON object a line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib.common.errors import DoppelError


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSONL file, one by one. Blank lines are skipped but counted.

    Args:
        path: the file, in UTF-8; it is unpacked with gzip if its name ends in ``.gz``.

    Yields:
        where the object stands (``PATH, line 3``), and the object.

    Raises:
        DoppelError: with file and line, for bytes that are not UTF-8, a line that is not one JSON object, and a packed
            file that is damaged or cut off. The line itself is never quoted.
    """
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise DoppelError(
                "common.not_utf8", f"not UTF-8 at byte {error.start}", remedy="convert the file to UTF-8", where=where
            ) from None
        except json.JSONDecodeError as error:
            sentence = f"not JSON ({error.msg} at character {error.pos})"
            raise DoppelError("common.not_json", sentence, where=where) from None
        except (RecursionError, ValueError):
            raise DoppelError(
                "common.json_too_large",
                "nested too deeply, or a number with too many digits",
                remedy="remove the line",
                where=where,
            ) from None
        if not isinstance(row, dict):
            sentence = f"a line holds one object, not {type(row).__name__}"
            raise DoppelError("common.not_an_object", sentence, where=where)
        yield where, row


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, packed or not, numbered from 1."""
    number = 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
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
