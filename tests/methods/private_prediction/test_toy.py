"""The toy token: clipped, the odd record is worth no more than another."""

import numpy as np
import pytest

from lib.methods.private_prediction import toy


def test_the_clip_takes_away_what_one_odd_record_says_alone():
    word = toy.token(noise_multiplier=4.0)
    cat, great = toy.WORDS.index("cat"), toy.WORDS.index("great")
    for chances in (word.public, word.unclipped, word.clipped, word.without_odd):
        assert chances.sum() == pytest.approx(1)
    assert word.clip == pytest.approx(6 / 4)
    assert word.unclipped[cat] > 2 * word.clipped[cat] and word.clipped[great] > word.public[great]
    ratio = np.log(word.clipped / word.without_odd)
    assert ratio.max() - ratio.min() <= 2 / 4.0 + 1e-9  # the range that the accountant takes
