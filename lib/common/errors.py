"""The one kind of error that a user is meant to read."""

from collections.abc import Iterable
from difflib import get_close_matches


class DoppelError(Exception):
    """A refusal: says what was given, what is allowed, and what to do. Never holds private text."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a mistyped name: ``'; did you mean steps?'``, or the list of known names."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"


class Faults:
    """Collects the refusals of several ``with`` blocks, so that all are told at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, DoppelError):
            self.found += str(error).splitlines()
        return isinstance(error, DoppelError)

    def tell(self, before: str = "") -> None:
        """Raise one DoppelError with every refusal, each once, if there are any. ``before`` opens every line."""
        if self.found:
            raise DoppelError("\n".join(before + line for line in dict.fromkeys(self.found)))
