"""Sentences of one set of texts that stand word for word in another. *Evaluation only* where real text enters."""

from collections.abc import Iterable, Sequence

from lib.data.tokenize import sentences, words


def verbatim(synthetic: Sequence[str], real: Iterable[str], *, min_words: int = 8) -> int:
    """How many of ``synthetic`` hold a whole sentence of ``real`` with at least ``min_words`` words.

    Case and punctuation are ignored. 0 is best; a common phrase can be copied by chance, so compare
    with the count for held-out records.
    """
    texts = [words(text) for text in synthetic]
    known = {tuple(sentence) for text in real for sentence in sentences(text) if len(sentence) >= min_words}
    lengths = sorted({len(sentence) for sentence in known})
    return sum(
        any(tuple(text[i : i + n]) in known for n in lengths for i in range(len(text) - n + 1)) for text in texts
    )
