"""Runs a function on input that nobody vouches for, within bounds of time and memory."""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lib.common.errors import DoppelError

_WAIT = 12  # how much longer than its processor time it may take by the clock, on a busy machine


def call(function: Callable[[Any], Any], argument: object, *, seconds: int, memory: int) -> Any:
    """What a function returns, computed in a child process that is stopped at its bounds.

    Where the system cannot fork, the function runs in this process, without bounds.

    Args:
        function: its result, or the exception that it raises, must be picklable.
        argument: its only argument.
        seconds: of processor time, at least 1.
        memory: bytes of address space beyond those that this process has.

    Raises:
        DoppelError: ``common.too_costly``, where the bounds were reached.
    """
    if not hasattr(os, "fork"):
        return function(argument)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(function, argument, sender, seconds, memory))
    child.start()
    sender.close()
    result: Any = None
    with receiver, contextlib.suppress(EOFError):  # it ended without an answer
        if receiver.poll(seconds * _WAIT):
            result = receiver.recv()
    child.kill()
    child.join()
    if result is None:
        raise DoppelError(
            "common.too_costly",
            f"needs more than {seconds} seconds of processor time or {memory / 2**30:g} GB of memory",
            value=seconds,
        )
    returned, error = result
    if error is not None:
        raise error
    return returned


def _mapped() -> int:
    """Bytes of address space of this process: a child has them too, and torch alone maps several gigabytes."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):  # no Linux
        return 0


def _work(function: Callable, argument: object, sender: Connection, seconds: int, memory: int) -> None:
    import resource  # only where there is fork

    with Path(os.devnull).open("w") as silence:
        sys.stderr = silence  # the parent tells what happened
        with contextlib.suppress(ValueError, OSError):  # a system may not know the limit
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            most = _mapped() + memory
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        try:
            answer = function(argument), None
        except MemoryError:
            return
        except Exception as error:  # raised again by the parent
            answer = None, error
        sender.send(answer)
