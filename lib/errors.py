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
