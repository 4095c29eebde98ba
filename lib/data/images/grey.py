"""Small grey pictures, in which near-duplicates are looked for."""

from collections.abc import Sequence

import numpy as np

SIDE = 16  # pixels: their width and height


def small(pictures: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Pictures in grey, `SIDE` x `SIDE` pixels, each the mean of those that it stands for.

    Args:
        pictures: uint8, each of shape (height, width) or (height, width, 3).

    Returns:
        float64, shape (n, SIDE * SIDE).
    """
    from PIL import Image  # here: what imports this module need not have it

    size = (SIDE, SIDE)
    grey = [Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BOX) for picture in pictures]
    return np.stack([np.asarray(picture, float).ravel() for picture in grey])
