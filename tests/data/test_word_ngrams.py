"""Runs of words by number, against sets of the runs themselves."""

import random

from hypothesis import given
from hypothesis import strategies as st

from lib.data.word_ngrams import doubled_runs, encode, ngrams

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), min_size=1, max_size=6)


def runs(texts: list[str], n: int) -> list[tuple[str, ...]]:
    """The oracle: every run of n words, text by text."""
    return [tuple(text.split()[i : i + n]) for text in texts for i in range(len(text.split()) - n + 1)]


@given(TEXTS, st.integers(1, 10))
def test_runs_have_equal_numbers_when_and_only_when_they_are_equal(texts, n):
    numbers, starts = ngrams(encode(texts), n)
    expected = runs(texts, n)
    assert len(numbers) == len(starts) == len(expected)
    assert len(set(numbers.tolist())) == len(set(expected)) == len(set(zip(numbers.tolist(), expected, strict=True)))


def test_doubled_runs_end_with_the_order_of_all_suffixes():
    draw = random.Random(0)
    encoded = encode([" ".join(draw.choices("ab", k=12)) for _ in range(5)])
    *_, last = doubled_runs(encoded)
    numbers = encoded.numbers.tolist()
    suffixes = sorted(range(len(numbers)), key=lambda start: numbers[start:])
    assert last.argsort().tolist() == suffixes
