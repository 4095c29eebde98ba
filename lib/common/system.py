"""The edges to the operating system: its errors as refusals, folders that can be written, and a home folder."""

import ctypes
import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.common.errors import DoppelError

_MAY_NOT = "let the user who runs this read and write there, or name another place"
_REMEDIES = {
    "ENOSPC": "make room on that disk, then run again",
    "EDQUOT": "make room within your quota, then run again",
    "EACCES": _MAY_NOT,
    "EPERM": _MAY_NOT,
    "EROFS": _MAY_NOT,
    "ENOENT": "check the path: a folder or file on it is missing",
    "ENOTDIR": "a file stands where a folder should be: move it away, or name another place",
    "EISDIR": "a folder stands where a file should be: move it away, or name another file",
    "EMFILE": "raise the limit of open files (ulimit -n), then run again",
}


def cause(number: int) -> str:
    """What an error number of the operating system means: ``No space left on device (ENOSPC)``.

    Args:
        number: as in ``OSError.errno``.
    """
    return f"{os.strerror(number)} ({errno.errorcode.get(number, number)})"


def refusal(error: OSError, path: Path | None = None) -> DoppelError:
    """An error of the operating system as a refusal with file, cause and remedy.

    Args:
        error: with an error number. Its message is not used: a library may have put anything there.
        path: what was at work, for an error that names no file; a write to a full disk names none.
    """
    place = str(error.filename or path or "")
    code = errno.errorcode.get(error.errno, "")
    return DoppelError(
        "common.system",
        cause(error.errno),
        name=place or None,
        value=code,
        remedy=_REMEDIES.get(code, "check the file and the disk that it lies on"),
        where=place,
    )


@contextmanager
def refusals(path: Path | None = None) -> Iterator[None]:
    """What the operating system refuses within the block is raised as a `DoppelError`.

    Args:
        path: as `refusal` takes it.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # a library's own error, which only derives from it
            raise
        raise refusal(error, path) from None


def check_writable(folder: Path) -> None:
    """Refuse a folder in which no file can be made. Nothing is written.

    Args:
        folder: it need not exist; then the nearest folder above it is asked.

    Raises:
        DoppelError: it is no folder, or may not be written.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        raise refusal(NotADirectoryError(errno.ENOTDIR, "", str(there)))
    if not os.access(there, os.W_OK | os.X_OK):
        raise refusal(PermissionError(errno.EACCES, "", str(there)))


def ensure_home(instead: Path) -> None:
    """Give this process and those that it starts a home folder that can be written, and say so where it is another.

    Snakemake, Jupyter, matplotlib, wandb and the hub's client keep caches in it and fail without, each in its way.

    Args:
        instead: becomes ``HOME`` where the user has no home folder, or may not write there; it is created.
    """
    try:
        with tempfile.TemporaryFile(dir=Path.home()):
            return
    except (OSError, RuntimeError):  # the latter: this user has no home folder at all
        instead.mkdir(parents=True, exist_ok=True)
    os.environ["HOME"] = str(instead)
    print(f"the home folder cannot be written; {instead} stands for it, without its settings and keys", file=sys.stderr)


def give_back_memory() -> None:
    """Give freed memory back to the operating system, where the C library is one that keeps it (glibc).

    glibc keeps an arena for each thread, and gives back only what is free at its end: threads that come and go with
    large buffers leave gigabytes behind that nobody uses.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
