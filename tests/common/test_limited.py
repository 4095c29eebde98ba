"""A function in a child process: its result and its errors come back, and its bounds hold."""

import mmap
import time

import pytest
from support.errors import refused

from lib.common import limited
from lib.common.errors import DoppelError


def spin(_: object) -> None:
    while True:
        pass


def hoard(size: int) -> int:
    return len(bytearray(size))


def raise_(error: Exception) -> None:
    raise error


def call(function, argument):
    return limited.call(function, argument, seconds=1, memory=2**31)


def test_results_and_errors_come_back():
    assert call(hoard, 5) == 5
    with pytest.raises(KeyError, match="x"):
        call(raise_, KeyError("x"))
    with refused("a.b"):
        call(raise_, DoppelError("a.b", "sentence"))


def test_what_this_process_has_already_is_not_counted():
    taken = mmap.mmap(-1, 2**31)
    assert call(hoard, 2**28) == 2**28
    taken.close()


@pytest.mark.parametrize(("function", "argument"), [(spin, 0), (hoard, 2**33)], ids=["time", "memory"])
def test_what_goes_over_its_bounds_is_stopped(function, argument):
    start = time.monotonic()
    with refused("common.too_costly"):
        call(function, argument)
    assert time.monotonic() - start < 12
