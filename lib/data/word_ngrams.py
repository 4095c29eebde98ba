"""Texts as arrays of word numbers, and numbers for their runs of words: exact, and without a Python loop over runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lib.data.tokenize import words


@dataclass(frozen=True)
class EncodedWords:
    """All texts one after another, a position for each word and one after each text.

    Equal words have equal numbers. The position after each text holds a number that occurs nowhere else, so that no
    two equal runs go over the end of a text.

    Attributes:
        numbers: the word at each position, shape (positions,); words are 0 to ``vocabulary`` - 1.
        text: which text each position belongs to, shape (positions,).
        vocabulary: how many different words there are.
    """

    numbers: np.ndarray
    text: np.ndarray
    vocabulary: int


def encode(texts: Sequence[str]) -> EncodedWords:
    """Number the words of ``texts``, case-folded and without punctuation."""
    known: dict[str, int] = {}
    rows = [[known.setdefault(word, len(known)) for word in words(text)] for text in texts]
    lengths = np.array([len(row) + 1 for row in rows], np.int64)
    ends = np.cumsum(lengths) - 1
    numbers = np.empty(lengths.sum(), np.int64)
    numbers[ends] = len(known) + np.arange(len(texts))
    numbers[np.delete(np.arange(len(numbers)), ends)] = [number for row in rows for number in row]
    return EncodedWords(numbers, np.repeat(np.arange(len(texts)), lengths), len(known))


def ngrams(encoded: EncodedWords, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Number every run of ``n`` words within a text of ``encoded``.

    Args:
        encoded: the texts.
        n: words in a run, at least 1.

    Returns:
        the number of each run and the position where it starts, both of shape (runs,). Two runs have equal numbers
        if and only if they are equal; numbers are below the number of positions.
    """
    count = len(encoded.numbers)
    numbers = _renumbered(encoded.numbers)
    for step in range(1, min(n, count)):
        numbers = _renumbered(numbers[:-1] * (count + encoded.vocabulary + 1) + encoded.numbers[step:])
    last = max(0, count - n)  # the position after a whole run is of the same text: another word, or its end
    starts = np.flatnonzero(encoded.text[:last] == encoded.text[n : n + last])
    return numbers[starts], starts


def doubled_runs(encoded: EncodedWords) -> Iterator[np.ndarray]:
    """Number the runs of 1, 2, 4, 8, ... positions of ``encoded`` (prefix doubling: Karp, Miller & Rosenberg 1972).

    Yields:
        the number of the run that starts at each position, shape (positions,). Equal runs have equal numbers, and
        numbers sort as runs do. It ends when all runs differ, at the latest when they are longer than every text: the
        last array is the order of all suffixes.
    """
    rank, length = _renumbered(encoded.numbers), 1
    yield rank
    while rank.max(initial=-1) + 1 < len(rank):
        after = np.zeros_like(rank)  # 0 past the end of the last text
        after[: len(rank) - length] = rank[length:] + 1
        rank, length = _renumbered(rank * (len(rank) + 1) + after), 2 * length
        yield rank


def _renumbered(values: np.ndarray) -> np.ndarray:
    """The same order and equalities, in numbers from 0 without gaps."""
    return np.unique(values, return_inverse=True)[1]
