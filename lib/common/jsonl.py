"""Files with one JSON object a line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib.common.errors import DoppelError


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """File and line number, and the object of each line; blank lines are skipped, gzip is known by its ending.

    Raises DoppelError with file and line for bytes that are not UTF-8, for what is not a JSON object, and for a packed
    file that is damaged or cut off.
    """
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise DoppelError(f"{where}: not UTF-8 at byte {error.start}; convert the file to UTF-8") from None
        except json.JSONDecodeError as error:
            raise DoppelError(f"{where}: not JSON ({error.msg} at character {error.pos})") from None
        except (RecursionError, ValueError):
            raise DoppelError(f"{where}: nested too deep, or a number of too many digits; remove the line") from None
        if not isinstance(row, dict):
            raise DoppelError(f"{where}: a line holds one object, not {type(row).__name__}")
        yield where, row


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            for number, line in enumerate(file, 1):
                yield number, line
        except EOFError:
            raise DoppelError(f"{path}: packed, and cut off after line {number}; fetch the whole file again") from None
        except (gzip.BadGzipFile, zlib.error):
            raise DoppelError(
                f"{path}: cannot be unpacked after line {number}; fetch it again, or take .gz off its name if it is "
                "not packed"
            ) from None
