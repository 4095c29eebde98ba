"""Words and sentences as every comparison of texts here counts them: without case and punctuation."""

import re

_WORD = re.compile(r"\w+")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?…。！？])\s+|\n+")


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return _WORD.findall(text.casefold())


def sentences(text: str) -> list[list[str]]:
    """The `words` of each sentence that has any: sentences end at a mark before white space, or with the line."""
    return [found for part in _BETWEEN_SENTENCES.split(text) if (found := words(part))]
