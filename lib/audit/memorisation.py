"""Copying without canaries: what the synthetic text shares with train, and with held-out records as the baseline.

What it shares with held-out records it cannot have from memory: common phrases, names of products. Only the excess
over that baseline speaks of train, and only when train and held-out are of like size, for a larger corpus holds more
common phrases. *Evaluation only*: it reads real text. Outputs are counts and lengths, never text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.data.near_duplicates import with_near_duplicate
from lib.data.word_ngrams import doubled_runs, encode

# Bounded repeats, so that no text makes a search slow.
PATTERNS = {
    "email": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}"),
    "url": re.compile(r"(?:https?://|\bwww\.)[^\s<>\"')]{3,200}", re.IGNORECASE),
    "phone": re.compile(r"(?<![\w.+])(?<!\d[ -])\+?\(?\d(?:[ ().-]{0,2}\d){6,14}(?:x\d{1,6})?(?!\w|[ -]\d)"),
    "card": re.compile(r"(?<!\w)\d(?:[ -]?\d){12,18}(?!\w)"),
}


@dataclass(frozen=True, slots=True)
class Copying:
    """Of ``texts`` synthetic texts: how many near-duplicates a corpus has of them, and the longest shared runs."""

    texts: int
    near_duplicates: int
    longest_median: float  # words
    longest_p99: float
    longest_max: int


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One kind of personal data in the synthetic texts, each count a number of different strings.

    ``found`` in all; of them ``in_train`` stand in train too, ``in_held_out`` in the held-out records.
    """

    kind: str
    texts: int
    found: int
    in_train: int
    in_held_out: int


def copying(synthetic: Sequence[str], corpus: Sequence[str], *, near_duplicate_similarity: float = 0.6) -> Copying:
    """What ``synthetic`` shares with one corpus. Call it with train, and again with as many held-out records."""
    near = with_near_duplicate(synthetic, corpus, near_duplicate_similarity)
    longest = longest_shared(synthetic, corpus)
    median, p99 = np.quantile(longest, [0.5, 0.99]) if len(longest) else (0.0, 0.0)
    return Copying(len(synthetic), int(near.sum()), float(median), float(p99), int(longest.max(initial=0)))


def longest_shared(texts: Sequence[str], corpus: Sequence[str]) -> np.ndarray:
    """Words of the longest run that each text shares with any text of ``corpus``, shape (n,); case is ignored.

    In the order of all suffixes, the suffix that shares the longest beginning with a given one is the next of the
    corpus above or below it (Manber & Myers 1993).
    """
    both = encode([*texts, *corpus])
    ranks = list(doubled_runs(both))
    order = np.argsort(ranks[-1])
    mine = both.text[order] < len(texts)
    place = np.arange(len(order))
    above = np.maximum.accumulate(np.where(mine, -1, place))[mine]
    below = np.minimum.accumulate(np.where(mine, len(order), place)[::-1])[::-1][mine]
    suffix, shared = order[mine], np.zeros(mine.sum(), np.int64)
    for other in (above, below):
        there = (other >= 0) & (other < len(order))
        shared[there] = np.maximum(shared[there], _common(suffix[there], order[other[there]], ranks))
    longest = np.zeros(len(texts), np.int64)
    np.maximum.at(longest, both.text[suffix], shared)
    return longest


def _common(left: np.ndarray, right: np.ndarray, ranks: Sequence[np.ndarray]) -> np.ndarray:
    """Length of the common beginning of the suffixes at two arrays of positions: a sum of powers of two."""
    length = np.zeros(len(left), np.int64)
    for power in range(len(ranks) - 1, -1, -1):  # never past the last position: it is a number that nothing equals
        length += 2**power * (ranks[power][left + length] == ranks[power][right + length])
    return length


def personal_data(synthetic: Sequence[str], train: Sequence[str], held_out: Sequence[str]) -> list[PersonalData]:
    """Emails, web addresses, numbers like those of phones (7 to 15 digits) and of cards (13 to 19, checksum right)."""
    rows = []
    for kind in PATTERNS:
        per_text = [personal_strings(kind, text) for text in synthetic]
        found = set().union(*per_text)
        others = (set().union(*(personal_strings(kind, text) for text in corpus)) for corpus in (train, held_out))
        in_train, in_held_out = (len(found & other) for other in others)
        rows.append(PersonalData(kind, sum(map(bool, per_text)), len(found), in_train, in_held_out))
    return rows


def personal_strings(kind: str, text: str) -> set[str]:
    """What the pattern of one kind finds, spelled so that the same number or address is equal.

    Of a number the digits count. Of an address all counts but case and the signs after it: a point or a dash inside
    makes it another one.
    """
    found = {match.group() for match in PATTERNS[kind].finditer(text)}
    if kind in ("phone", "card"):
        numbers = {re.sub(r"\D", "", one) for one in found}
        return {one for one in numbers if luhn(one)} if kind == "card" else numbers
    return {re.sub(r"\W+$", "", one.casefold()) for one in found}


def luhn(digits: str) -> bool:
    """Whether the last digit is the checksum of a card number (ISO/IEC 7812)."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
