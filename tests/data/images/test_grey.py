"""Pictures in grey and small: each pixel the mean of those that it stands for."""

import numpy as np
import pytest

from lib.data.images.grey import SIDE, small


def test_each_pixel_is_the_mean_of_its_block() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (2 * SIDE, 4 * SIDE), np.uint8)
    blocks = picture.reshape(SIDE, 2, SIDE, 4).mean(axis=(1, 3))
    assert small([picture]) == pytest.approx(blocks.reshape(1, -1), abs=1)  # rounded to whole numbers


def test_colours_become_their_luminance_and_sizes_may_differ() -> None:
    green = np.zeros((30, 20, 3), np.uint8)
    green[..., 1] = 255
    rows = small([green, np.full((SIDE, SIDE), 7, np.uint8)])
    assert rows.shape == (2, SIDE * SIDE) and rows.dtype == float
    assert rows[0] == pytest.approx(0.587 * 255, abs=1) and set(rows[1]) == {7.0}  # ITU-R 601
