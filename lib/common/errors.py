"""The one kind of error that a user is meant to read."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple


class DoppelError(Exception):
    """A refusal: what was given, what is allowed, what to do. Never holds private text.

    Code and tests decide on ``code``, ``name`` and ``value``; the sentence is for people alone.

    Args:
        code: what went wrong, as ``room.fault``: ``parameters.unknown``. Always a literal.
        sentence: what was given and what is allowed, without a full stop.
        name: the parameter, file, stage or column at fault.
        value: what was given for it; None where that may be private.
        remedy: what to do about it; shown behind the sentence.
        where: the file or command that the fault is in; shown before the sentence.
    """

    def __init__(
        self,
        code: str,
        sentence: str,
        *,
        name: str | None = None,
        value: object = None,
        remedy: str = "",
        where: str = "",
    ):
        super().__init__(code, sentence)
        self.code, self.sentence = code, sentence
        self.name, self.value, self.remedy, self.where = name, value, remedy, where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return place + self.sentence + (f"; {self.remedy}" if self.remedy else "")

    @property
    def faults(self) -> tuple["DoppelError", ...]:
        """The single refusals that this error reports: itself, or those of a `SeveralErrors`."""
        return (self,)

    def at(self, where: str) -> "DoppelError":
        """The same refusal with ``where``, the file or command that it is in, put before it."""
        placed = type(self)(self.code, self.sentence)
        placed.__dict__ |= self.__dict__ | {"where": f"{where}: {self.where}" if self.where else where}
        return placed


class SeveralErrors(DoppelError):
    """Several refusals reported together, a line each.

    Args:
        faults: the single refusals.
    """

    def __init__(self, faults: Iterable[DoppelError]):
        super().__init__("several", "several refusals")
        self._faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(dict.fromkeys(map(str, self._faults)))

    @property
    def faults(self) -> tuple[DoppelError, ...]:
        return self._faults

    def __reduce__(self) -> tuple:
        return type(self), (self._faults,)

    def at(self, where: str) -> "SeveralErrors":
        return SeveralErrors(fault.at(where) for fault in self._faults)


class Faults:
    """Collects the refusals of several ``with`` blocks, so that all are reported at once.

    >>> faults = Faults()
    >>> for path in paths:
    ...     with faults:
    ...         check(path)
    >>> faults.raise_any()
    """

    def __init__(self) -> None:
        self.found: list[DoppelError] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, DoppelError):
            self.found += error.faults
        return isinstance(error, DoppelError)

    def add(self, error: DoppelError) -> None:
        """Collect an ``error`` that was not raised."""
        self.found += error.faults

    def raise_any(self, where: str = "") -> None:
        """Raise the refusals, each once, if there are any: the only one itself, several as `SeveralErrors`.

        Args:
            where: the file that all of them are in; put before each.
        """
        found = list({str(fault): fault for fault in self.found}.values())
        if where:
            found = [fault.at(where) for fault in found]
        if found:
            raise found[0] if len(found) == 1 else SeveralErrors(found)


class Reason(NamedTuple):
    """Why something is refused or wrong, where that is listed and not raised. Never holds private text.

    Code and tests decide on ``code``; the sentence is for people and is all that JSON keeps: ``str(reason)``.

    Args:
        code: what is wrong, as ``room.fault``, like a `DoppelError`'s. Always a literal.
        sentence: what was found, without a full stop.
    """

    code: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy for a mistyped name: ``did you mean steps?``, or the list of known names.

    Args:
        name: as it was given.
        known: the names that there are.
    """
    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
