"""The words of a text and where they stand, for formats that want words and for predictions that cut one in two."""

import regex

from lib.data.tokenize import has_unspaced

Offset = tuple[int, int]  # start and end in code points of the text

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_SEEN = r"[^\s\x1c-\x1f]"  # what str.split does not split at
_WORD = regex.compile(rf"(?V1)[[\w\p{{M}}]--{_UNSPACED}]+|{_SEEN}\p{{M}}*(?:\u200d{_SEEN}\p{{M}}*)*")
_WITHIN = regex.compile(r"[\w\p{M}]{2}")


def words(text: str) -> tuple[Offset, ...]:
    """Where the words of a text stand: runs of letters, digits and marks.

    Every other character but white space is a word of its own, and so is each character of a script without spaces
    between words. No word holds white space, so that no format with a word a line is ever shifted by a line break.

    Args:
        text: any text.
    """
    return tuple(match.span() for match in _WORD.finditer(text))


def widened(text: str, start: int, end: int, least: int = 0) -> Offset:
    """A span without white space at its ends, extended to the ends of the words that it begins and ends in.

    Args:
        text: that the span is in.
        start: of the span, in code points.
        end: behind it, at most the length of the text.
        least: where the span may begin at the earliest.

    Returns:
        Start and end; equal for a span of white space alone.
    """
    piece = text[start:end].rstrip()
    start, end = start + len(piece) - len(piece.lstrip()), start + len(piece)
    if start < end:
        while start > least and _within_word(text, start):
            start -= 1
        while _within_word(text, end):
            end += 1
    return start, end


def _within_word(text: str, place: int) -> bool:
    """Whether the characters before and behind a place belong to one word."""
    pair = text[place - 1 : place + 1] if place > 0 else ""
    return len(pair) == 2 and _WITHIN.fullmatch(pair) is not None and not has_unspaced(pair)
