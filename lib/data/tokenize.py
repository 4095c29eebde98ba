"""Splits texts into words and sentences, as every comparison of texts does: without case and punctuation."""

import re

_WORD = re.compile(r"\w+")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?…。！？])\s+|\n+")


def words(text: str) -> list[str]:
    """The words of ``text`` in order, case-folded and without punctuation."""
    return _WORD.findall(text.casefold())


def sentences(text: str) -> list[list[str]]:
    """The `words` of each sentence of ``text`` that has any.

    A sentence ends at a line break, or at a full stop, question mark, exclamation mark or ellipsis before white space.
    """
    split = map(words, _BETWEEN_SENTENCES.split(text))
    return [sentence for sentence in split if sentence]
