"""Words are masked at their rate, and what is between them stays."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.errors import refused

from lib.generation.masking import mask


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5, 0.9])
def test_words_are_masked_at_their_rate(probability: float) -> None:
    words = [f"w{i}" for i in range(20_000)]
    blanks = mask(" ".join(words), probability, np.random.default_rng(0)).split().count("_")
    assert abs(blanks - 20_000 * probability) < 4 * np.sqrt(20_000 * probability * (1 - probability))


@given(st.text(max_size=60), st.floats(0.01, 1), st.integers(0, 5))
def test_masking_keeps_punctuation_and_masks_something(text: str, probability: float, seed: int) -> None:
    masked = mask(text, probability, np.random.default_rng(seed), "<blank>")
    assert "<blank>" in masked
    if probability == 1:
        assert not re.search(r"\w", masked.replace("<blank>", ""))


def test_characters_are_masked_one_by_one_and_neighbours_share_a_blank() -> None:
    text = "我昨天买的iPhone，用了两天就坏了。"
    masked = [mask(text, 0.5, np.random.default_rng(seed)) for seed in range(50)]
    assert all("，" in each and each.endswith("。") and "__" not in each for each in masked)
    assert len(set(masked)) == 50 and {"iPhone" in each for each in masked} == {True, False}
    assert mask(text, 1, np.random.default_rng(0)) == "_，_。"


def test_masking_at_the_bounds_of_the_probability() -> None:
    draw = np.random.default_rng
    assert mask("It's a mid-range, 12.5 inch TV!", 1, draw(0)) == "_ _ _, _ _ _!"
    assert mask("?!", 0.5, draw(0)) == "_" == mask("word", 0.01, draw(0))
    assert all(mask("one two", 0.999, draw(seed)).count("_") == 1 for seed in range(20))  # one word is restored
    for wrong in (0, -0.1, 1.1, float("nan")):
        with refused("generation.mask_probability_out_of_range", name="mask_probability"):
            mask("one two", wrong, draw(0))
