"""A text in pieces that are rewritten one by one. Pieces are offsets, never copies, so that together they are the text.

Privasis (arXiv 2602.03183) splits a text too, but joins it again from stripped pieces: its line ends change, and runs
of them shrink.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

import regex

from lib.common.errors import DoppelError
from lib.data.tokenize import sentence_ends
from lib.private_records.schema import Place
from lib.sanitization.schema import Chunk

CHARACTERS = 512  # of the longest chunk, as Privasis has it

_BREAK = r"(?:\r\n|[\n\r\v\f\x85\u2028\u2029])"
_BLANK_LINES = re.compile(rf"{_BREAK}(?:[^\S\r\n\v\f\x85\u2028\u2029]*{_BREAK})+")
_LINE = re.compile(_BREAK)
_SPACE = re.compile(r"\s+")
_GRAPHEME = regex.compile(r"\X")

_Ends = Callable[[str, int, int], Iterable[int]]


def chunks(text: str, longest: int = CHARACTERS) -> tuple[Chunk, ...]:
    """Split a text, in time proportional to its length.

    A chunk is as long as it may be and ends behind the last blank line that fits; where there is none, behind a line
    end, a sentence, white space, or a character as people see it, in this order. What is longer than a chunk without
    any of these (a character with hundreds of marks) is cut.

    Args:
        text: any text.
        longest: characters of a chunk at most, at least 1.

    Returns:
        Chunks that follow each other without a gap, each with at least one character; none for the empty text.

    Raises:
        DoppelError: ``sanitization.chunk_characters``.
    """
    if longest < 1:
        raise DoppelError(
            "sanitization.chunk_characters",
            f"chunk_characters = {longest} must be at least 1",
            name="chunk_characters",
            value=longest,
        )
    made: list[Chunk] = []
    start = 0
    while start < len(text):
        end = len(text) if len(text) - start <= longest else _cut(text, start, start + longest)
        made.append(Chunk(start, end))
        start = end
    return tuple(made)


def spanned(pieces: Sequence[Chunk], places: Iterable[Place]) -> tuple[Chunk, ...]:
    """Chunks without borders inside places: those that share a place are one.

    Args:
        pieces: of a text, as `chunks` made them.
        places: in that text, in any order.
    """
    ends = [piece.end for piece in pieces]
    inside = {end for place in places for end in ends[bisect_right(ends, place.start) : bisect_left(ends, place.end)]}
    joined: list[Chunk] = []
    start = 0
    for end in ends:
        if end not in inside:
            joined.append(Chunk(start, end))
            start = end
    return tuple(joined)


def numbers_of(pieces: Sequence[Chunk], places: Iterable[Place]) -> tuple[int, ...]:
    """The numbers, from 0, of the chunks that hold a part of a place.

    Args:
        pieces: of a text.
        places: in that text.
    """
    ends = [piece.end for piece in pieces]
    held = {number for at in places for number in range(bisect_right(ends, at.start), bisect_left(ends, at.end) + 1)}
    return tuple(sorted(held))


def _cut(text: str, start: int, end: int) -> int:
    """Where a chunk from ``start`` ends, at ``end`` at the latest, in a text that goes on behind it."""
    for ends in _LEVELS:
        cut = max((_whole(text, at) for at in ends(text, start, end)), default=start)
        if cut > start:
            return cut
    return end


def _whole(text: str, cut: int) -> int:
    """A cut that does not come between the two characters of one line end."""
    return cut - (text[cut - 1 : cut + 1] == "\r\n")


def _matches(pattern: re.Pattern[str]) -> _Ends:
    return lambda text, start, end: (match.end() for match in pattern.finditer(text, start, end))


def _graphemes(text: str, start: int, end: int) -> Iterator[int]:
    """Starts of the characters as people see them; the last one may go on behind ``end``."""
    return (match.start() for match in _GRAPHEME.finditer(text, start, end + 1) if match.start() <= end)


_LEVELS: tuple[_Ends, ...] = (_matches(_BLANK_LINES), _matches(_LINE), sentence_ends, _matches(_SPACE), _graphemes)
