"""Locks that allow one writer a folder; the kernel releases them however the process that holds them ends."""

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import IO

from lib.common import system
from lib.common.errors import DoppelError

_POLL = 0.2  # seconds between two attempts


def hold(path: Path, resource: str, *, patience: float = 0.0) -> IO[str]:
    """Take a lock.

    Args:
        path: the lock file; it is created where it is missing, and holds the process id of whoever has the lock.
        resource: what is locked, as messages call it: ``stage 11_generate.base``.
        patience: seconds to wait for another process to release it, since a killed run needs a moment to end.

    Returns:
        the open lock file. Closing it, or the end of the process, releases the lock.

    Raises:
        DoppelError: when another process still holds the lock after ``patience`` seconds, with its process id; or the
            file cannot be written.
    """
    with system.refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    deadline, reported = time.monotonic() + patience, False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            if time.monotonic() >= deadline:
                file.close()
                raise DoppelError(
                    "common.in_use",
                    f"{resource} is in use by process {holder}",
                    name=resource,
                    value=holder,
                    remedy="let it end, or end it (a notebook open in JupyterLab: shut its kernel down), "
                    "then run again",
                ) from None
            if not reported:
                print(f"{resource} is in use by process {holder}; waiting up to {patience:.0f} s", file=sys.stderr)
                reported = True
            time.sleep(_POLL)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
