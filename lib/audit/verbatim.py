"""Whole sentences that synthetic texts copy from real ones. *Evaluation only* where no noise is added to a count."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from lib.data.records import Record
from lib.data.tokenize import amount, sentences, share, words
from lib.privacy.ledger import Unit

MIN_WORDS = 8  # of a sentence
RUN = 16  # words in a row that are shared by more than chance: fresh reviews share at most 11 with 1,800 others.
# 300 fresh Chinese, Japanese and Thai texts share at most 9, 6 and 8 words' worth, but for a web site's own sentences.


def verbatim(synthetic: Sequence[str], real: Iterable[str], *, min_words: int = MIN_WORDS) -> int:
    """Count the synthetic texts that hold a whole sentence of a real text, without regard to case and punctuation.

    Args:
        synthetic: the texts that are counted.
        real: the texts whose sentences are looked for.
        min_words: shorter sentences of ``real`` are ignored; at least 1. In scripts without spaces between words, as
            many characters as say that much (`lib.data.tokenize.share`).

    Returns:
        The count, 0 at best. A common phrase can be copied by chance, so compare with the count for held-out records.
    """
    texts = [words(text) for text in synthetic]
    known = {tuple(sentence) for text in real for sentence in sentences(text) if amount(sentence) >= min_words}
    lengths = sorted({len(sentence) for sentence in known})
    return sum(
        any(tuple(text[i : i + n]) in known for n in lengths for i in range(len(text) - n + 1)) for text in texts
    )


def copied_units(synthetic: Sequence[str], train: Iterable[Record], *, unit: Unit) -> int:
    """Count the private units that synthetic texts copy. It needs noise before anybody sees it.

    Unit: one record or one user. Neighbours: add or remove one unit. Whether a unit is copied follows from its own
    records and the texts alone, so one unit more or less changes the count by at most 1 (sensitivity 1).

    Args:
        synthetic: the texts, which are fixed before the count is taken.
        train: all records of the train set.
        unit: what is counted: ``record``, or ``user``, who is copied when one of the user's records is.

    Returns:
        The number of units with a passage (`passages`) that stands in one of the texts.
    """
    places = holders(synthetic)
    return len(
        {
            record.id if unit == "record" else record.owner
            for record in train
            if any(places(passage) for passage in passages(record.text.reveal()))
        }
    )


def holders(texts: Sequence[str]) -> Callable[[Sequence[str]], set[int]]:
    """A search of texts: a function from the words of a passage, at least `MIN_WORDS`, to the texts that hold it.

    Args:
        texts: to be searched; the function returns their numbers, from 0.
    """
    split = [words(text) for text in texts]
    starts = defaultdict(list)  # the first words of every place -> the places
    for number, text in enumerate(split):
        for i in range(len(text) - MIN_WORDS + 1):
            starts[tuple(text[i : i + MIN_WORDS])].append((number, i))

    def find(passage: Sequence[str]) -> set[int]:
        places = starts.get(tuple(passage[:MIN_WORDS]), ())
        return {number for number, i in places if split[number][i : i + len(passage)] == passage}

    return find


def passages(text: str) -> Iterator[list[str]]:
    """The words of each passage of ``text`` that is unlikely to be repeated by chance.

    These are the whole text and its sentences where they have at least `MIN_WORDS` words, and every run of `RUN` words;
    in scripts without spaces between words, as many characters as say that much (`lib.data.tokenize.share`).
    """
    whole = words(text)
    yield from (passage for passage in [whole, *sentences(text)] if amount(passage) >= MIN_WORDS)
    amounts = [0.0, *accumulate(map(share, whole))]  # of the words before each place
    ends = (bisect_left(amounts, before + RUN) for before in amounts)  # of the shortest run from each place
    yield from (whole[start:end] for start, end in enumerate(ends) if end < len(amounts))
