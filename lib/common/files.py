"""Writes files that are either whole or absent, removes folders in the same way, reads and hashes files."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from lib.common import system
from lib.common.errors import DoppelError


def write_atomic(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Write a file so that a reader never sees half of it: write beside it, flush to the disk, then rename.

    The new content is on the disk when this returns. A process that is killed may leave the file beside it behind
    (`remove_parts`).

    Args:
        path: the file; its folder is created where it is missing.
        content: what goes in, whole or piece by piece; ``str`` is written as UTF-8.

    Raises:
        DoppelError: the operating system refuses it, for want of room say. No half of it is left.
    """
    part = _part(path)
    pieces = [content] if isinstance(content, str | bytes) else content
    with system.refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                for piece in pieces:
                    file.write(piece.encode() if isinstance(piece, str) else piece)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except Exception:  # the pieces may come from anywhere
            part.unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)  # which holds the new name
    try:
        with suppress(OSError):  # not every file system knows how
            os.fsync(folder)
    finally:
        os.close(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder at once: whoever is killed meanwhile leaves all of it, or nothing under its name.

    Args:
        folder: to remove; it may be missing.
    """
    if folder.is_dir():
        part = _part(folder)
        shutil.rmtree(part, ignore_errors=True)
        folder.rename(part)
        shutil.rmtree(part)


def remove_parts(folder: Path, name: str = "*") -> None:
    """Remove what killed processes left behind: half-written files, and folders that were about to be removed.

    Args:
        folder: to look in, and below. The caller holds its lock, so that nobody else is writing there.
        name: of the files whose parts are removed; ``*`` stands for any text.
    """
    for part in list(folder.rglob(f".{name}.*.part")):
        shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)


def _part(path: Path) -> Path:
    """Where this process keeps what is not yet, or no longer, at a path."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` to ``path`` as strict JSON.

    Raises:
        ValueError: for a NaN or an infinity, which other programs could not read.
    """
    write_atomic(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def write_array(path: Path, array: np.ndarray) -> None:
    """Write ``array``, of any shape and without Python objects, to ``path`` in NumPy's ``.npy`` format."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_atomic(path, buffer.getvalue())


def read_json(path: Path) -> Any:
    """The value in the JSON file ``path``."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a file that somebody else made.

    Args:
        path: the file; a link to a file is followed.
        most: bytes that are read.

    Raises:
        DoppelError: it is no regular file (a pipe, say, which would never end), or it is larger.
    """
    if not path.is_file():
        raise DoppelError("common.no_regular_file", "is missing or no regular file", name=path.name, where=path.name)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise DoppelError(
            "common.file_too_large", f"is over {most:,} bytes", name=path.name, value=most, where=path.name
        )
    return content


def sha256(path: Path) -> str:
    """Hex digest of the file ``path``, as ``sha256sum`` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
