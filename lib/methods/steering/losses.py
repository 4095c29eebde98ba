"""Losses of a model whose hidden states are moved. *Evaluation only* where the texts are private."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import nn

from lib.models.examples import Batch, Example
from lib.models.hidden_states import Directions
from lib.models.losses import held_out_losses

STRENGTHS = (0.0, 0.5, 1.0, 1.5)


def moved_losses(
    model: nn.Module,
    directions: Directions,
    examples: Sequence[Example],
    numbers: Sequence[int],
    progress: Callable[[int], object] = lambda done: None,
) -> np.ndarray:
    """Losses of completions, with each example's direction added where its tokens are predicted.

    Args:
        model: a causal language model.
        directions: what is added.
        examples: at least one.
        numbers: the direction of each example.
        progress: called with the number of examples newly done.

    Returns:
        As `lib.models.losses.held_out_losses`, shape (examples, 2).
    """

    def around(group: Sequence[int], batch: Batch) -> AbstractContextManager:
        places = torch.zeros(batch.input_ids.shape, dtype=torch.bool, device=batch.input_ids.device)
        places[batch.rows, batch.columns] = True
        return directions.moving(model, [numbers[i] for i in group], places)

    return held_out_losses(model, examples, around=around, progress=progress)


def by_strength(
    model: nn.Module,
    directions: Directions,
    examples: Sequence[Example],
    numbers: Sequence[int],
    progress: Callable[[int], object] = lambda done: None,
) -> dict[float, np.ndarray]:
    """Losses of completions at several strengths.

    Args:
        model: a causal language model.
        directions: what is added at strength 1.
        examples: at least one.
        numbers: the direction of each example.
        progress: called with the number of examples newly done, at each strength.

    Returns:
        Strength -> what `moved_losses` returns.
    """
    found = {}
    for strength in STRENGTHS:
        found[strength] = moved_losses(model, directions.times(strength), examples, numbers, progress)
    return found
