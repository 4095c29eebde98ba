"""Whole sentences that synthetic texts copy from real ones. *Evaluation only* where real text enters."""

from collections.abc import Iterable, Sequence

from lib.data.tokenize import sentences, words


def verbatim(synthetic: Sequence[str], real: Iterable[str], *, min_words: int = 8) -> int:
    """Count the synthetic texts that hold a whole sentence of a real text, without regard to case and punctuation.

    Args:
        synthetic: the texts that are counted.
        real: the texts whose sentences are looked for.
        min_words: shorter sentences of ``real`` are ignored; at least 1.

    Returns:
        The count, 0 at best. A common phrase can be copied by chance, so compare with the count for held-out records.
    """
    texts = [words(text) for text in synthetic]
    known = {tuple(sentence) for text in real for sentence in sentences(text) if len(sentence) >= min_words}
    lengths = sorted({len(sentence) for sentence in known})
    return sum(
        any(tuple(text[i : i + n]) in known for n in lengths for i in range(len(text) - n + 1)) for text in texts
    )
