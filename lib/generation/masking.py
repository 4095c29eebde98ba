"""Blanks in the place of words: what a model is asked to fill in, to vary a text."""

import re

import numpy as np

from lib.common.errors import DoppelError

_WORD = re.compile(r"\w+(?:[-'’./@]\w+)*")  # it's, mid-range, 12.5: one word; signs around a word are no part of it


def mask(text: str, probability: float, rng: np.random.Generator, blank: str = "_") -> str:
    """The text with words replaced by ``blank``, each independently with ``probability``; signs and spaces stay.

    At least one word becomes a blank: where none was drawn, one is. Below probability 1 at least one of two words
    or more stays: where all were drawn, one comes back. A text without a word becomes a blank as a whole.

    Raises:
        DoppelError: the probability is not in (0, 1].
    """
    if not 0 < probability <= 1:
        raise DoppelError(f"mask_probability = {probability} must be in (0, 1]")
    words = list(_WORD.finditer(text))
    if not words:
        return blank
    masked = rng.random(len(words)) < probability
    if not masked.any():
        masked[rng.integers(len(words))] = True
    elif masked.all() and len(words) > 1 and probability < 1:
        masked[rng.integers(len(words))] = False
    chosen = iter(masked)
    return _WORD.sub(lambda word: blank if next(chosen) else word[0], text)
