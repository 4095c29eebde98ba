"""Work in children that are killed at random moments, and taken up again until it is done."""

import os
import random
import select
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from support.killed import Kill, Writes

AGAIN = 0.3  # chance that an attempt that goes on is killed too


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path there, without half-written ones, which the front door sweeps away."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def unequal(work: Callable[[Path], None], root: Path, kills: int, seed: int = 0) -> tuple[int, list[str]]:
    """Kill work and take it up again, and compare what it wrote with what it writes when nobody kills it.

    A kill comes at a random time, or at a random write: before or just after a file is opened, before it is on the
    disk, before it is renamed.

    Args:
        work: writes into the folder that it is given; what it may keep between attempts and that is not compared (a
            cache) belongs beside it.
        root: an empty folder.
        kills: how many children are killed, at least.
        seed: of the moments.

    Returns:
        How many children were killed, and what differed: a story of kills with the names of files.
    """
    rng, found, killed, trial = random.Random(seed), [], 0, 0
    began = time.monotonic()
    code, writes = _attempt(work, root / "whole", None)
    seconds = time.monotonic() - began
    assert code == 0 and writes > 0, "it fails when nobody kills it"
    whole = content(root / "whole")
    while killed < kills:
        trial += 1
        folder, story, again = root / f"trial-{trial}", [], True
        while again:
            by_time = rng.random() < 0.3
            kill = (
                Kill(seconds=rng.uniform(0, seconds))
                if by_time
                else Kill(write=rng.randint(1, writes), opened=rng.random() < 0.5)
            )
            code, _ = _attempt(work, folder, kill)
            killed += code == -signal.SIGKILL
            story.append(str(kill))
            again = code == -signal.SIGKILL and rng.random() < AGAIN
        if (code := _attempt(work, folder, None)[0]) != 0:
            found.append(f"exit {code} after {story}")
        here = content(folder)
        if wrong := sorted(name for name in {*here, *whole} if here.get(name) != whole.get(name)):
            found.append(f"{wrong} after {story}")
    return killed, found


def _attempt(work: Callable[[Path], None], folder: Path, kill: Kill | None) -> tuple[int, int]:
    """Work in a child: its exit code (-9 when it was killed), and its writes (0 when it was killed)."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            writes = Writes(folder, kill)
            work(folder)
            os.write(write, str(writes.count).encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(write)
    if kill is not None and kill.seconds is not None:
        ended, _, _ = select.select([read], [], [], kill.seconds)
        if not ended:
            os.kill(child, signal.SIGKILL)
    with os.fdopen(read, "rb") as pipe:
        sent = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(sent or 0)
