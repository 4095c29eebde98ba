"""A check, and how it came out. `lib.machine.checks` lists them all."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch

from lib.common.errors import DoppelError

Figures = Mapping[str, float]


class Differs(Exception):
    """What was computed is not what it must be; the message says what."""


def always(device: torch.device) -> None:
    """What is lacking for a check that any machine can do: nothing.

    Args:
        device: where the check would run.
    """


def refusal(check: Callable[[str], object], device: torch.device) -> str | None:
    """What a check of parameters refuses on a device, as a sentence, or None.

    Args:
        check: given the device's name; raises DoppelError.
        device: where a path would run.
    """
    try:
        check(device.type)
    except DoppelError as error:
        return error.sentence
    return None


@dataclass(frozen=True)
class Check:
    """A path that is run in small.

    Attributes:
        name: by which it is chosen.
        title: what is checked, in a few words.
        run: does it on a device, and returns figures by name; raises `Differs`, or whatever goes wrong.
        lacking: says what this machine lacks for it, or None.
    """

    name: str
    title: str
    run: Callable[[torch.device], Figures]
    lacking: Callable[[torch.device], str | None] = always


@dataclass(frozen=True)
class Outcome:
    """How a check came out.

    Attributes:
        name: of the check.
        title: of the check.
        outcome: ``absent`` where the machine lacks what it needs.
        because: why it failed or is absent; None where it passed.
        seconds: that it took.
        figures: that it returned.
    """

    name: str
    title: str
    outcome: Literal["pass", "fail", "absent"]
    because: str | None = None
    seconds: float = 0.0
    figures: Figures = field(default_factory=dict)


def carry_out(check: Check, device: torch.device) -> Outcome:
    """Do a check. Whatever goes wrong in it is its outcome, and the checks behind it are done all the same.

    Args:
        check: what to do.
        device: where.
    """
    if lacking := check.lacking(device):
        return Outcome(check.name, check.title, "absent", lacking)
    began = time.perf_counter()
    try:
        figures = check.run(device)
    except (Exception, SystemExit) as error:  # a driver that does not fit raises anything
        sentence = str(error) if isinstance(error, Differs | DoppelError) else f"{type(error).__name__}: {error}"
        return Outcome(check.name, check.title, "fail", sentence, time.perf_counter() - began)
    return Outcome(check.name, check.title, "pass", None, time.perf_counter() - began, figures)


def timed(work: Callable[[], object], device: torch.device, turns: int = 3) -> float:
    """Seconds of the fastest of some turns; the first one, which sets up, does not count.

    Args:
        work: what is timed.
        device: which is waited for, since a GPU returns before it is done.
        turns: that count, at least 1.
    """
    seconds = []
    for _ in range(turns + 1):
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])
