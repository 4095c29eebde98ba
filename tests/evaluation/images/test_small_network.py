"""The small network learns, gives the same for the same seed, and touches no global generator."""

import numpy as np
import torch

from lib.evaluation.images.small_network import FEATURES, SmallNetwork

RNG = np.random.default_rng(0)
CODES = np.arange(120) % 2
BARS = np.zeros((120, 12, 12), np.uint8)  # upright and level bars
for number, code in enumerate(CODES):
    place = RNG.integers(2, 10)
    BARS[number, :, place] = 255 * (code == 0)
    BARS[number, place, :] |= np.uint8(255 * (code == 1))


def test_it_learns_and_repeats() -> None:
    before = torch.random.get_rng_state()
    made = SmallNetwork(BARS[:80], CODES[:80], 2, steps=40, seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert (made.predict(BARS[80:]) == CODES[80:]).mean() > 0.9
    features = made.encode(BARS)
    assert features.shape == (120, FEATURES) and features.dtype == np.float32
    again = SmallNetwork(BARS[:80], CODES[:80], 2, steps=40, seed=1)
    np.testing.assert_allclose(again.encode(BARS), features, atol=1e-5)


def test_colours_and_other_sizes() -> None:
    colours = np.repeat(BARS[:20, :, :10, None], 3, axis=3)
    assert SmallNetwork(colours, CODES[:20], 2, steps=2, seed=0).encode(colours).shape == (20, FEATURES)
