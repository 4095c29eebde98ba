"""Draws by the inverse of a distribution function."""

import torch

from lib.models.draws import invert


def test_a_column_is_drawn_where_the_running_sum_passes_the_number() -> None:
    weights = torch.tensor([[1.0, 0.0, 3.0]]).expand(5, 3)
    uniforms = torch.tensor([0.0, 0.2499, 0.25, 0.999, 1.0])
    assert invert(weights, uniforms).tolist() == [0, 0, 2, 2, 2]
