"""Sentences of one set of texts that stand word for word in another. *Evaluation only* where real text enters."""

import re
from collections.abc import Iterable, Sequence

from lib.near_duplicates import words

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def verbatim(synthetic: Sequence[str], real: Iterable[str], *, min_words: int = 8) -> int:
    """How many of ``synthetic`` hold a whole sentence of ``real`` with at least ``min_words`` words.

    Case and punctuation are ignored. 0 is best; a common phrase can be copied by chance, so compare
    with the count for held-out records.
    """
    texts = [words(text) for text in synthetic]
    sentences = {tuple(s) for text in real for part in _SENTENCE.split(text) if len(s := words(part)) >= min_words}
    lengths = sorted({len(s) for s in sentences})
    return sum(
        any(tuple(text[i : i + n]) in sentences for n in lengths for i in range(len(text) - n + 1)) for text in texts
    )
