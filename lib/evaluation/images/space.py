"""Spaces in which pictures are compared: that of the votes, and those that had no vote.

Votes select what is near in their own space, so distances there flatter an arm. `Renders` is a network that learned,
from random renders of digits alone, how a digit was drawn: how large, turned, bold, leaning and where. It is public,
costs no epsilon, and nothing was selected in it. A network that learned to read digits would say less: it learns to
ignore how they are drawn. For other pictures there is EfficientNet-Lite0, trained on ImageNet's photos.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import numpy as np

from lib.data.images.decoding import Shape
from lib.evaluation.images.small_network import SmallNetwork
from lib.evaluation.images.space_name import IMAGENET, RENDERS, check_space
from lib.generation.images.digits import RANGES, Digits
from lib.models.efficientnet_lite import EfficientNetLite
from lib.models.image_encoders import ImageEncoder, open_image_encoder

PICTURES, STEPS = 4000, 400  # that the judge is trained on


class Renders:
    """Features of a network that tells the parameters of random renders of digits.

    Args:
        shape: of the pictures that it will see.
        seed: of renders and training.
    """

    def __init__(self, shape: Shape, seed: int):
        ink = 0 if shape.background > 127 else 255
        digits, rng = Digits(shape, ink=ink), np.random.default_rng(seed)
        drawings = [digits.random(f"{number % 10}", rng) for number in range(PICTURES)]
        pictures = np.stack([digits.render(drawing) for drawing in drawings])
        numbers = np.array([astuple(drawing)[2:] for drawing in drawings])
        low, high = np.array([*RANGES.values()]).T
        targets = (2 * (numbers - low) / (high - low) - 1).astype(np.float32)
        self.network = SmallNetwork(pictures, targets, len(RANGES), steps=STEPS, seed=seed)
        self.fingerprint = hashlib.sha256(f"{RENDERS} {seed} {digits.fingerprint}".encode()).hexdigest()

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """As `lib.models.image_encoders.ImageEncoder.encode`."""
        return self.network.encode(pictures)


def open_space(name: str, corpus: Mapping[str, Any]) -> ImageEncoder:
    """Open a space by name.

    Args:
        name: ``renders:SEED``, ``efficientnet-lite0``, or an encoder as `lib.models.image_encoders.open_image_encoder`
            takes it.
        corpus: parameters of the corpus stage, with the declared shape.

    Raises:
        DoppelError: there is no such space.
    """
    seed = check_space(name, "judge")
    if name == IMAGENET:
        return EfficientNetLite()
    return open_image_encoder(name) if seed is None else Renders(Shape.of(corpus), seed)
