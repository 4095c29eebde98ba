"""Messy text, as people type: slips of the keys, small letters, lost marks and line breaks, never inside a slot."""

import re
from collections.abc import Callable
from random import Random

from lib.pii.slots import Parsed

ERRORS = (1, 4)  # of a text: at least, at most

Kind = Callable[[str, Random, bool], str]  # a piece of text, what draws, whether a slot follows -> the piece

_WORD = re.compile(r"[a-z]{4,}")
_BLANK = re.compile(r"(?<=\w[.!?]) (?=\S)")
_SENTENCE = re.compile(r"(?<=[a-z])[.!?](?= )")
_CAPITAL = re.compile(r"(?<=[.!?] )[A-Z](?=[a-z])")
_APOSTROPHE = re.compile(r"(?<=[a-z])'(?=[a-z])")
_BEFORE_SLOT = re.compile(r"(?<=[:,]) \Z")


def messy(parsed: Parsed, rng: Random) -> str:
    """The text with a few typing errors.

    Args:
        parsed: a text without faults.
        rng: draws how many errors, which and where.

    Returns:
        The text with its slots, which are the same and in the same order; pieces with brackets of their own (``[sic]``)
        stay as they are. A blank before a slot may be lost
        (``phone:[PHONENUMBER]``), so that a value touches the mark before it, never a letter.
    """
    pieces = [str(piece) if not isinstance(piece, str) else piece for piece in parsed.pieces]
    texts = [place for place, piece in enumerate(parsed.pieces) if isinstance(piece, str) and "[" not in piece]
    for _ in range(rng.randint(*ERRORS)):
        error = rng.choice(_KINDS)
        if texts:
            place = rng.choices(texts, [len(pieces[place]) for place in texts])[0]
            slot_follows = place + 1 < len(pieces)
            pieces[place] = error(pieces[place], rng, slot_follows)
    return "".join(pieces)


def _slip(text: str, rng: Random, _: bool) -> str:
    """Two letters of a word swapped, or one lost or doubled."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start(), word.end() - 1)
    pair = text[at : at + 2]
    return text[:at] + rng.choice([pair[::-1], pair[0], pair[0] + pair]) + text[at + 2 :]


def _replaced(pattern: re.Pattern, new: str) -> Kind:
    def replace(text: str, rng: Random, _: bool) -> str:
        places = list(pattern.finditer(text))
        if not places:
            return text
        place = rng.choice(places)
        return text[: place.start()] + (new or place[0].lower()) + text[place.end() :]

    return replace


def _lost(pattern: re.Pattern) -> Kind:
    def lose(text: str, rng: Random, _: bool) -> str:
        places = list(pattern.finditer(text))
        if not places:
            return text
        place = rng.choice(places)
        return text[: place.start()] + text[place.end() :]

    return lose


def _small(text: str, rng: Random, _: bool) -> str:
    return text.lower()


def _touching(text: str, rng: Random, slot_follows: bool) -> str:
    return _BEFORE_SLOT.sub("", text) if slot_follows else text


_KINDS = (
    _slip,
    _slip,
    _lost(_SENTENCE),
    _lost(_APOSTROPHE),
    _replaced(_CAPITAL, ""),
    _replaced(_BLANK, "\n"),
    _replaced(_BLANK, "  "),
    _small,
    _touching,
)
