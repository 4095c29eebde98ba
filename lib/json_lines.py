"""Files with one JSON object a line."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib.errors import DoppelError


def read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """File and line number, and the object of each line; blank lines are skipped, gzip is known by its ending.

    Raises DoppelError with file and line for bytes that are not UTF-8, and for what is not a JSON object.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8"))
            except UnicodeDecodeError as error:
                raise DoppelError(f"{where}: not UTF-8 at byte {error.start}; convert the file to UTF-8") from None
            except json.JSONDecodeError as error:
                raise DoppelError(f"{where}: not JSON ({error.msg} at character {error.pos})") from None
            if not isinstance(row, dict):
                raise DoppelError(f"{where}: a line holds one object, not {type(row).__name__}")
            yield where, row
