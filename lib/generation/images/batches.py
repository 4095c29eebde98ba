"""Pictures drawn in batches that are halved where memory runs out."""

from collections.abc import Callable

import numpy as np
import torch

from lib.common.errors import DoppelError


class Batches:
    """Draws many pictures, some at once.

    Args:
        size: pictures at once, at least 1; it falls where memory runs out, and stays there.
        side: width and height of a picture in pixels, for the refusal.
    """

    def __init__(self, size: int, side: int):
        self.size, self.side = size, side

    def __call__(self, draw: Callable[[slice], np.ndarray], count: int) -> list[np.ndarray]:
        """All pictures.

        Args:
            draw: given which rows, their pictures as numbers from 0 to 1, shape (rows, side, side, 3).
            count: of all rows.

        Returns:
            ``count`` pictures, uint8, (side, side, 3) each; what is no number is black.

        Raises:
            DoppelError: one picture does not fit into memory.
        """
        made: list[np.ndarray] = []
        while len(made) < count:
            rows = slice(len(made), min(count, len(made) + self.size))
            try:
                images = draw(rows)
            except torch.OutOfMemoryError:
                if self.size == 1:
                    raise DoppelError(
                        "generation.out_of_memory",
                        f"one picture of {self.side} x {self.side} pixels does not fit into memory",
                        name="side",
                        value=self.side,
                        remedy="set a smaller side, or use a device with more memory",
                    ) from None
                self.size //= 2
                torch.cuda.empty_cache()
                continue
            made += [*np.round(np.clip(np.nan_to_num(images), 0, 1) * 255).astype(np.uint8)]
        return made
