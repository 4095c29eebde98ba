"""Copying without canaries: what the synthetic text shares with the train set, and with held-out records by chance.

What it shares with held-out records cannot come from memory: common phrases, names of products. Only the excess over
that baseline says something about the train set, and only where both have about the same size, because a larger corpus
holds more common phrases. *Evaluation only*: it reads real text. Outputs are counts and lengths, never text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.data.near_duplicates import with_near_duplicate
from lib.data.tokenize import spaced
from lib.data.word_ngrams import doubled_runs, encode

# Every repeat is bounded, so that no text makes a search slow.
PATTERNS = {
    "email": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}"),
    "url": re.compile(r"(?:https?://|\bwww\.)[^\s<>\"')]{3,200}", re.IGNORECASE),
    "phone": re.compile(r"(?<![\w.+])(?<!\d[ -])\+?\(?\d(?:[ ().-]{0,2}\d){6,14}(?:x\d{1,6})?(?!\w|[ -]\d)"),
    "card": re.compile(r"(?<!\w)\d(?:[ -]?\d){12,18}(?!\w)"),
}


@dataclass(frozen=True, slots=True)
class Copying:
    """What synthetic texts share with a corpus.

    Attributes:
        texts: how many synthetic texts there are.
        near_duplicates: how many of them have a near-duplicate in the corpus.
        longest_median: median over the texts of the longest run shared with any text of the corpus (`longest_shared`),
            in words; 0 where there are no texts.
        longest_p99: 99th percentile of the same, in words.
        longest_max: maximum of the same, in words.
    """

    texts: int
    near_duplicates: int
    longest_median: float
    longest_p99: float
    longest_max: int


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One kind of personal data in synthetic texts.

    Attributes:
        kind: a key of `PATTERNS`.
        texts: how many of the texts hold any.
        found: how many different strings (`personal_strings`) they hold.
        in_train: how many of these strings stand in the train set too.
        in_held_out: how many of them stand in the held-out records too.
    """

    kind: str
    texts: int
    found: int
    in_train: int
    in_held_out: int


def copying(synthetic: Sequence[str], corpus: Sequence[str], *, near_duplicate_similarity: float = 0.6) -> Copying:
    """What synthetic texts share with a corpus.

    Args:
        synthetic: the texts.
        corpus: real texts. Call it with the train set, and again with as many held-out records.
        near_duplicate_similarity: Jaccard similarity from which texts are near-duplicates, in (0, 1]
            (`lib.data.near_duplicates.with_near_duplicate`).
    """
    near = with_near_duplicate(synthetic, corpus, near_duplicate_similarity)
    longest = longest_shared(synthetic, corpus)
    median, p99 = np.quantile(longest, [0.5, 0.99]) if len(longest) else (0.0, 0.0)
    return Copying(len(synthetic), int(near.sum()), float(median), float(p99), int(longest.max(initial=0)))


def longest_shared(texts: Sequence[str], corpus: Sequence[str]) -> np.ndarray:
    """Length of the longest run of words that each text shares with any text of a corpus. Case is ignored.

    All suffixes are sorted (suffix array: Manber & Myers 1993). The suffix of the corpus that shares the longest
    beginning with a given suffix is then the nearest one of the corpus above or below it.

    Args:
        texts: the texts.
        corpus: the texts to compare with.

    Returns:
        Lengths in words (`lib.data.tokenize.words`), int64, shape (n,).
    """
    both = encode([*texts, *corpus])
    ranks = list(doubled_runs(both))
    order = np.argsort(ranks[-1])
    of_texts = both.text[order] < len(texts)
    place = np.arange(len(order))
    above = np.maximum.accumulate(np.where(of_texts, -1, place))[of_texts]
    below = np.minimum.accumulate(np.where(of_texts, len(order), place)[::-1])[::-1][of_texts]
    suffix, shared = order[of_texts], np.zeros(of_texts.sum(), np.int64)
    for neighbour in (above, below):
        exists = (neighbour >= 0) & (neighbour < len(order))
        length = _common_prefix(suffix[exists], order[neighbour[exists]], ranks)
        shared[exists] = np.maximum(shared[exists], length)
    longest = np.zeros(len(texts), np.int64)
    np.maximum.at(longest, both.text[suffix], shared)
    return longest


def _common_prefix(left: np.ndarray, right: np.ndarray, ranks: Sequence[np.ndarray]) -> np.ndarray:
    """Length of the common beginning of the suffixes at two arrays of positions, as a sum of powers of two."""
    length = np.zeros(len(left), np.int64)
    for power in range(len(ranks) - 1, -1, -1):  # stays in range: the last position's number equals no other
        length += 2**power * (ranks[power][left + length] == ranks[power][right + length])
    return length


def personal_data(synthetic: Sequence[str], train: Sequence[str], held_out: Sequence[str]) -> list[PersonalData]:
    """Count emails, web addresses, and numbers like those of phones (7 to 15 digits) and cards (13 to 19, checksum).

    Args:
        synthetic: the texts that are searched.
        train: the train set, in which their strings are looked up.
        held_out: held-out records, in which they are looked up too.

    Returns:
        A row for every kind in `PATTERNS`.
    """
    rows = []
    for kind in PATTERNS:
        per_text = [personal_strings(kind, text) for text in synthetic]
        strings = set().union(*per_text)
        of_corpora = (set().union(*(personal_strings(kind, text) for text in corpus)) for corpus in (train, held_out))
        in_train, in_held_out = (len(strings & of_corpus) for of_corpus in of_corpora)
        rows.append(PersonalData(kind, sum(map(bool, per_text)), len(strings), in_train, in_held_out))
    return rows


def personal_strings(kind: str, text: str) -> set[str]:
    """Personal data of one kind in a text, normalized, so that the same number or address is the same string.

    Of phone and card numbers only the digits count. Of emails and web addresses everything counts but case and trailing
    punctuation: a point or a dash inside makes it another address.

    Args:
        kind: a key of `PATTERNS`.
        text: the text that is searched.
    """
    strings = {match.group() for match in PATTERNS[kind].finditer(spaced(text))}
    if kind in ("phone", "card"):
        numbers = {re.sub(r"\D", "", string) for string in strings}
        return {number for number in numbers if luhn(number)} if kind == "card" else numbers
    return {re.sub(r"\W+$", "", string.casefold()) for string in strings}


def luhn(digits: str) -> bool:
    """Whether the last of ``digits`` is the checksum of a card number (Luhn's algorithm, ISO/IEC 7812-1)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
