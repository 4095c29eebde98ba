"""Masking: some words of a text become blanks, which a model is asked to fill in to vary the text."""

import numpy as np

from lib.common.errors import DoppelError
from lib.data.tokenize import joined


def mask(text: str, probability: float, rng: np.random.Generator, blank: str = "_") -> str:
    """Replace words by blanks, each independently; punctuation and spaces stay.

    *It's*, *mid-range* and *12.5* are one word. Words without a space between them, as in Chinese, share a blank.

    At least one word becomes a blank: one is chosen at random where none was drawn. Below probability 1 at least one
    of two or more words stays: one is restored at random where all were drawn. A text without words becomes one blank.

    Args:
        text: the text.
        probability: of each word to be masked, in (0, 1].
        rng: generator of the draws.
        blank: what stands for a masked word.

    Raises:
        DoppelError: the probability is not in (0, 1].
    """
    if not 0 < probability <= 1:
        raise DoppelError(
            "generation.mask_probability_out_of_range",
            f"mask_probability = {probability} must be in (0, 1]",
            name="mask_probability",
            value=probability,
        )
    words = list(joined(text))
    if not words:
        return blank
    masked = rng.random(len(words)) < probability
    if not masked.any():
        masked[rng.integers(len(words))] = True
    elif masked.all() and len(words) > 1 and probability < 1:
        masked[rng.integers(len(words))] = False
    pieces, end, after_blank = [], 0, False
    for word, is_masked in zip(words, masked, strict=True):
        pieces.append(text[end : word.start()])
        if not (is_masked and after_blank and word.start() == end):
            pieces.append(blank if is_masked else word[0])
        end, after_blank = word.end(), is_masked
    return "".join(pieces) + text[end:]
