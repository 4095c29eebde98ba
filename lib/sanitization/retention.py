"""Whether a sanitized text still tells what it was to keep."""

from collections.abc import Iterable

from lib.sanitization.closeness import Nearness
from lib.sanitization.leaks import Searched, direct


def readable(values: Iterable[str], searched: Searched, guessed: Nearness | None) -> bool:
    """Whether a kept attribute can still be read: it stands in the text in whatever writing, or is guessed right.

    Args:
        values: how the original tells it, see `lib.sanitization.leaks.mentions`; any of them will do.
        searched: the sanitized text.
        guessed: how near a guess from that text comes to the value; None where there is no guess.
    """
    return guessed == "same" or bool(direct(values, searched))
