"""Draws from distributions that a model gives."""

import torch


def invert(weights: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """The inverse of a distribution function.

    Args:
        weights: at least 0, in proportion to the probabilities of the columns; shape (rows, columns).
        uniforms: a number in [0, 1) for each row, shape (rows,).

    Returns:
        For each row the column where its running sum passes this share of all of it; int, shape (rows,).
    """
    sums = weights.cumsum(-1)
    columns = torch.searchsorted(sums, uniforms[:, None] * sums[:, -1:], right=True)[:, 0]
    return columns.clamp(max=weights.shape[-1] - 1)
