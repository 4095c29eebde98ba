"""Pictures as vectors: blurred pixels, in which private pictures vote, and a small network that judges.

A vector depends on its own picture alone, and on nothing private.
"""

import hashlib
from typing import Protocol

import numpy as np
from scipy.ndimage import gaussian_filter

from lib.common.errors import DoppelError

PIXELS = "pixels"
FORM = f"{PIXELS}:SIGMA"
MAX_SIGMA = 100.0


class ImageEncoder(Protocol):
    """Turns pictures into vectors.

    Attributes:
        fingerprint: tells encoders apart by their content.
    """

    fingerprint: str

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """Vectors of n pictures, uint8 of shape (n, height, width) or (n, height, width, 3): float32, (n, width)."""


class Pixels:
    """Pixels between 0 and 1, blurred so that strokes which nearly meet are near, too.

    Args:
        sigma: standard deviation of the Gaussian blur, in pixels, at least 0.
    """

    def __init__(self, sigma: float):
        self.sigma = sigma
        self.fingerprint = hashlib.sha256(f"{PIXELS} {sigma!r}".encode()).hexdigest()

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """As `ImageEncoder.encode`; a vector has a number for each pixel and channel."""
        blur = (0, self.sigma, self.sigma, 0)[: pictures.ndim]  # neither pictures nor channels run into one another
        blurred = gaussian_filter(pictures.astype(np.float32) / 255, blur)
        return blurred.reshape(len(pictures), -1)


def check_encoder(name: str) -> float:
    """The sigma of an encoder of pictures.

    Args:
        name: ``pixels:SIGMA``.

    Raises:
        DoppelError: it is no such name.
    """
    kind, _, argument = name.partition(":")
    try:
        sigma = float(argument)
    except ValueError:
        sigma = -1.0
    if kind != PIXELS or not 0 <= sigma <= MAX_SIGMA:
        raise DoppelError(
            "models.image_encoder_unknown",
            f"encoder {name!r} is no encoder of pictures",
            name="encoder",
            value=name,
            remedy=f"write {FORM}, the blur in pixels from 0 to {MAX_SIGMA:g}: pixels:1.0",
        )
    return sigma


def open_image_encoder(name: str) -> ImageEncoder:
    """Open an encoder of pictures.

    Args:
        name: ``pixels:SIGMA``.

    Raises:
        DoppelError: ``name`` is unknown.
    """
    return Pixels(check_encoder(name))
