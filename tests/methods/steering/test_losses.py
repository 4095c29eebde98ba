"""Losses of a moved model against one example at a time."""

import numpy as np
import pytest
import torch
from support.lora_toys import examples, llama

from lib.methods.steering.losses import STRENGTHS, by_strength, moved_losses
from lib.models.hidden_states import Directions
from lib.models.losses import held_out_losses


def test_each_example_is_moved_by_its_own_direction() -> None:
    model, some = llama().eval(), examples(9)
    directions = Directions([0], torch.randn((2, 1, 16), generator=torch.Generator().manual_seed(0)))
    numbers = [i % 2 for i in range(9)]
    found = moved_losses(model, directions, some, numbers)
    for example, number, seen in zip(some, numbers, found, strict=True):
        ids = torch.tensor([[*example.prompt, *example.completion]])
        places = torch.zeros((1, len(example) - 1), dtype=torch.bool)
        places[0, len(example.prompt) - 1 :] = True
        with torch.no_grad(), directions.moving(model, [number], places):
            logits = model(ids[:, :-1]).logits[0, len(example.prompt) - 1 :].log_softmax(-1)
        by_hand = -logits[torch.arange(len(example.completion)), torch.tensor(example.completion)].sum()
        assert seen == pytest.approx([float(by_hand), len(example.completion)], rel=1e-4)
    plain = held_out_losses(model, some)
    assert not np.allclose(found, plain)
    assert np.array_equal(moved_losses(model, Directions([0], torch.zeros(1, 1, 16)), some, [0] * 9), plain)


def test_strength_zero_is_the_model_as_it_was() -> None:
    model, some, counted = llama().eval(), examples(5), []
    directions = Directions([1], torch.ones((1, 1, 16)))
    curve = by_strength(model, directions, some, [0] * 5, counted.append)
    plain = held_out_losses(model, some)
    assert list(curve) == list(STRENGTHS) and sum(counted) == 5 * len(STRENGTHS)
    assert np.array_equal(curve[0.0], plain) and not np.allclose(curve[1.0], plain)
