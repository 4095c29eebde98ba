"""Pictures come in order whatever the batches were, and a batch that does not fit into memory is halved."""

import numpy as np
import pytest
import torch
from support.errors import refused

from lib.generation.images.batches import Batches


def drawing(sizes: list[int], most: int = 99):
    """Draws pictures that hold their row's number; more than ``most`` at once do not fit into memory."""

    def draw(rows: slice) -> np.ndarray:
        sizes.append(rows.stop - rows.start)
        if sizes[-1] > most:
            raise torch.OutOfMemoryError
        return np.stack([np.full((2, 2, 3), row / 255) for row in range(rows.start, rows.stop)])

    return draw


@pytest.mark.parametrize(("size", "most", "tried"), [(3, 99, [3, 3, 1]), (8, 2, [7, 4, 2, 2, 2, 1])])
def test_every_row_is_drawn_once_and_in_order(size: int, most: int, tried: list[int]) -> None:
    sizes: list[int] = []
    made = Batches(size, 2)(drawing(sizes, most), 7)
    assert [picture.flat[0] for picture in made] == list(range(7)) and made[0].dtype == np.uint8
    assert sizes == tried


def test_a_size_that_did_not_fit_is_not_tried_again() -> None:
    batches, sizes = Batches(4, 2), []
    batches(drawing(sizes, most=2), 4)
    batches(drawing(sizes, most=2), 4)
    assert sizes == [4, 2, 2, 2, 2]


def test_one_picture_that_does_not_fit_is_refused() -> None:
    with refused("generation.out_of_memory", name="side", value=2):
        Batches(2, 2)(drawing([], most=0), 3)


def test_values_out_of_range_are_clipped_and_what_is_no_number_is_black() -> None:
    pixels = np.array([[-1.0, 2.0], [np.nan, 0.5]])
    (made,) = Batches(1, 2)(lambda rows: pixels[None, ..., None], 1)
    assert made[..., 0].tolist() == [[0, 255], [0, 128]]
