"""How near a guess comes to a value: the same in other words, near, or neither.

Near is, in this order: of a day, a guess that leaves at most `DAYS` open; of a time, `MINUTES`; of a code or an
address, `LETTERS` of its letters in order; of an amount, that is a value that begins with a number (*two hours*), one
that is off by at most `SHARE` of it; of all else, words that are alike. A guess counts with the largest error that its
words leave (`lib.sanitization.quantities`): *2021* is not near to a day of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from rapidfuzz import fuzz

from lib.data.tokenize import words
from lib.sanitization.leaks import Searched
from lib.sanitization.quantities import amounts, as_days, as_number, as_times, days, numbers, times

if TYPE_CHECKING:  # torch takes seconds to import
    from lib.models.encoders import Encoder

Nearness = Literal["same", "near", "other"]
Alike = Callable[[Sequence[tuple[str, str]]], Sequence[float]]  # pairs of value and guess -> likeness in [0, 1]
MEASURES = ("", "AGE", "AMOUNT", "HEIGHT")  # classes whose numbers may be near each other

DAYS = 31  # largest error of a day: *March 2021* comes near to a day in that month
MINUTES = 30  # largest error of a time of day
SHARE = 0.05  # largest error of a number, as a share of it: an age within two years at 42
LETTERS = 0.8  # of a code or an address
LONGEST = 120  # characters of a guess that count: whoever names many values has guessed none
NUMBER_WEIGHT = 8  # letters that a number counts for among words: *clause 9* is more than a clause
_EVERYDAY = {
    "all", "and", "any", "are", "for", "from", "had", "has", "have", "her", "his", "not", "some", "that", "the",
    "their", "this", "was", "were", "with",
}  # fmt: skip


class Pair(NamedTuple):
    """What is compared.

    Attributes:
        value: of an attribute.
        guess: of somebody; "" is none.
        label: class of the attribute; "" where it has none. Numbers of most classes measure nothing (a postal code).
    """

    value: str
    guess: str
    label: str = ""


class Words(NamedTuple):
    """When words are alike.

    Attributes:
        alike: of pairs of a value and a guess.
        least: likeness from which a guess is near, in (0, 1].
    """

    alike: Alike
    least: float


def shared_words(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Which share of each value its guess has, word by word, each counting by its letters; everyday words do not count.

    Args:
        pairs: of value and guess.

    Returns:
        Shares in [0, 1]; 0 for a value without words that count.
    """
    return [_shared(weighty(value), frozenset(words(guess))) for value, guess in pairs]


def by_embedding(encoder: Encoder) -> Alike:
    """Cosine similarity of value and guess.

    Args:
        encoder: a sentence encoder.
    """

    def alike(pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        sides = [encoder.encode([pair[side] for pair in pairs]) for side in (0, 1)]
        dots, norms = (sides[0] * sides[1]).sum(1), [np.linalg.norm(side, axis=1) for side in sides]
        return np.maximum(0.0, dots / np.maximum(norms[0] * norms[1], 1e-12))

    return alike


WORDS = Words(shared_words, 0.5)  # needs no model


def nearness(pairs: Sequence[Pair], by_words: Words = WORDS) -> list[Nearness]:
    """How near each guess comes to its value.

    Args:
        pairs: only the first `LONGEST` characters of a guess count, or as many as the value has.
        by_words: the measure for what is neither day, number nor code.

    Returns:
        ``same``: the guess holds the value (`lib.sanitization.leaks`). Of each pair one.
    """
    cut = [pair._replace(guess=pair.guess[: max(LONGEST, len(pair.value))].strip()) for pair in pairs]
    found: list[Nearness | None] = [_nearness(*pair) for pair in cut]
    left = [place for place, one in enumerate(found) if one is None]
    likeness = by_words.alike([cut[place][:2] for place in left]) if left else []
    for place, share in zip(left, likeness, strict=True):
        found[place] = "near" if share >= by_words.least else "other"
    return found


def weighty(value: str) -> dict[str, int]:
    """The words of a value that count, each with its weight: its letters, for a number `NUMBER_WEIGHT`.

    Args:
        value: any text.
    """
    counted = [word for word in words(value) if (len(word) > 2 and word not in _EVERYDAY) or word.isdecimal()]
    return {word: NUMBER_WEIGHT if word.isdecimal() else len(word) for word in counted}


def _nearness(value: str, guess: str, label: str) -> Nearness | None:
    """None: words decide."""
    if not guess:
        return "other"
    if Searched(guess).places(value):
        return "same"
    if sought := as_days(value):
        return "near" if any(one.error(day) <= DAYS for day in sought for one in days(guess)) else "other"
    if sought := as_times(value):
        return "near" if any(one.error(time) <= MINUTES for time in sought for one in times(guess)) else "other"
    measured = label in MEASURES and as_number(value)
    if len(value.split()) == 1 and not measured and ("@" in value or any(map(str.isdigit, value))):
        return "near" if fuzz.ratio(value.casefold(), guess.casefold()) >= 100 * LETTERS else "other"
    if sought := amounts(value):
        said = [*numbers(guess), *amounts(guess)]
        close = any(one.error(number.low) <= SHARE * abs(number.low) for number in sought for one in said)
        return "near" if close else "other"
    return None


def _shared(weights: dict[str, int], guessed: frozenset[str]) -> float:
    total = sum(weights.values())
    return sum(weight for word, weight in weights.items() if word in guessed) / total if total else 0.0
