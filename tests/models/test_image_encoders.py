"""Encoders of pictures: blurred pixels, each picture by itself."""

import numpy as np
import pytest
from support.errors import refused

from lib.models.image_encoders import Pixels, check_encoder, open_image_encoder

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 9, 7), dtype=np.uint8)


@pytest.mark.parametrize("pictures", [PICTURES, np.stack([PICTURES] * 3, axis=3)], ids=["grey", "colours"])
def test_a_vector_depends_on_its_own_picture_alone(pictures: np.ndarray) -> None:
    space = Pixels(1.5)
    vectors = space.encode(pictures)
    assert vectors.dtype == np.float32 and vectors.shape == (6, pictures[0].size)
    for number in range(6):
        assert (space.encode(pictures[number : number + 1])[0] == vectors[number]).all()


def test_blur_spreads_a_point_and_no_blur_leaves_pixels() -> None:
    point = np.zeros((1, 9, 9), np.uint8)
    point[0, 4, 4] = 255
    assert Pixels(0).encode(point)[0].reshape(9, 9)[4, 4] == 1.0
    blurred = Pixels(1.0).encode(point)[0].reshape(9, 9)
    assert blurred[4, 4] == pytest.approx(1 / (2 * np.pi), rel=0.02) and blurred.sum() == pytest.approx(1, abs=1e-3)
    assert Pixels(1.0).fingerprint != Pixels(2.0).fingerprint


def test_names_of_encoders() -> None:
    assert check_encoder("pixels:1.5") == 1.5 and open_image_encoder("pixels:0").sigma == 0
    for name in ("pixels", "pixels:", "pixels:-1", "pixels:nan", "pixels:1e9", "inception", "bundled:all-minilm-l6-v2"):
        with refused("models.image_encoder_unknown", name="encoder", value=name):
            open_image_encoder(name)
