"""Texts as arrays of word numbers, and numbers for their runs of words: exact, and without a loop over words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lib.data.tokenize import words


@dataclass(frozen=True)
class Encoded:
    """All texts one after another: ``numbers`` and ``text`` have shape (positions,).

    Equal words have equal numbers, 0 to ``vocabulary`` - 1. After each text stands a number of its own, so that no
    run of equal numbers goes over the end of a text. ``text`` is the text of each position.
    """

    numbers: np.ndarray
    text: np.ndarray
    vocabulary: int


def encode(texts: Sequence[str]) -> Encoded:
    """The words of the texts, without case and punctuation."""
    known: dict[str, int] = {}
    split = [[known.setdefault(word, len(known)) for word in words(text)] for text in texts]
    lengths = np.array([len(one) + 1 for one in split], np.int64)
    ends = np.cumsum(lengths) - 1
    numbers = np.empty(lengths.sum(), np.int64)
    numbers[ends] = len(known) + np.arange(len(texts))
    numbers[np.delete(np.arange(len(numbers)), ends)] = [number for one in split for number in one]
    return Encoded(numbers, np.repeat(np.arange(len(texts)), lengths), len(known))


def ngrams(encoded: Encoded, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Every run of ``n`` words within a text: its number and where it starts, both of shape (runs,).

    Two runs have equal numbers, below the number of positions, when and only when they are equal.
    """
    count = len(encoded.numbers)
    found = _renumbered(encoded.numbers)
    for step in range(1, min(n, count)):
        found = _renumbered(found[:-1] * (count + encoded.vocabulary + 1) + encoded.numbers[step:])
    last = max(0, count - n)  # the position after a whole run is of the same text: another word, or its end
    starts = np.flatnonzero(encoded.text[:last] == encoded.text[n : n + last])
    return found[starts], starts


def doubled_runs(encoded: Encoded) -> Iterator[np.ndarray]:
    """Numbers of the runs of 1, 2, 4, 8, ... positions that start at each position (Karp, Miller & Rosenberg 1972).

    Equal numbers for equal runs, and in their order. It ends when all runs differ, at the latest when they are longer
    than every text: the last array is the order of all suffixes.
    """
    rank, length = _renumbered(encoded.numbers), 1
    yield rank
    while rank.max(initial=-1) + 1 < len(rank):
        after = np.zeros_like(rank)  # 0 past the end of the last text
        after[: len(rank) - length] = rank[length:] + 1
        rank, length = _renumbered(rank * (len(rank) + 1) + after), 2 * length
        yield rank


def _renumbered(values: np.ndarray) -> np.ndarray:
    """The same order and equalities in numbers from 0."""
    return np.unique(values, return_inverse=True)[1]
