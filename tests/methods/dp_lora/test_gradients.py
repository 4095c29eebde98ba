"""Masks of dropout in a step: each process its own, and the global generator as it was. The rest is in test_trainer."""

import pytest
import torch

from lib.methods.dp_lora.gradients import masks
from lib.methods.dp_lora.settings import Settings

CPU = torch.device("cpu")


def drawn(noise: float | None, rank: int, privacy_seed: int | None = 5) -> torch.Tensor:
    settings = Settings(noise, steps=1, expected_batch=1, privacy_seed=privacy_seed)
    with masks(settings, 3, CPU, rank):
        return torch.rand(8)


@pytest.mark.parametrize("noise", [1.0, None])
def test_each_process_draws_masks_of_its_own(noise: float | None) -> None:
    seen = [drawn(noise, rank) for rank in (0, 1, 2)]
    assert len({tuple(row.tolist()) for row in seen}) == 3
    assert torch.equal(drawn(noise, 1), seen[1])  # from the seed


def test_without_a_seed_masks_are_secret() -> None:
    assert not torch.equal(drawn(1.0, 1, None), drawn(1.0, 1, None))


def test_the_global_generator_is_left_as_it_was() -> None:
    torch.manual_seed(7)
    expected = torch.rand(4)
    torch.manual_seed(7)
    drawn(1.0, 0)
    assert torch.equal(torch.rand(4), expected)
