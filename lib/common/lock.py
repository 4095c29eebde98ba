"""One writer a folder: locks that the kernel releases however their holder ends."""

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import IO

from lib.common.errors import DoppelError


def hold(path: Path, what: str, *, patience: float = 0.0) -> IO[str]:
    """The open lock file; closing it, or the end of the process, releases the lock.

    ``what`` is said in messages ("stage 11_generate.base"); ``patience`` is how many seconds to wait
    for another holder: a killed run needs a moment to end. Raises DoppelError with the holder's pid.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="utf-8")
    deadline, told = time.monotonic() + patience, False
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
                    f"{what} is in use by process {holder}; let it end, or end it (a notebook open in JupyterLab: "
                    f"shut its kernel down), then run again"
                ) from None
            if not told:
                print(f"{what} is in use by process {holder}; waiting up to {patience:.0f} s", file=sys.stderr)
                told = True
            time.sleep(0.2)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
