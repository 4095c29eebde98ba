"""Whole-number sums of DP-SGD: the clipping norm is never exceeded, sums are exact, and noise falls on the grid."""

import numpy as np
import pytest
import torch

from lib.methods.dp_lora.optimizer import GRID, FixedPointOptimizer
from lib.privacy.mechanisms import random_words

SIZES = (300, 40), (7,)


def optimizer(clip: float = 1.0, noise_multiplier: float = 1e-15) -> FixedPointOptimizer:
    parameters = [torch.nn.Parameter(torch.zeros(size)) for size in SIZES]
    made = FixedPointOptimizer(
        torch.optim.SGD(parameters, lr=1.0),
        noise_multiplier=noise_multiplier,
        max_grad_norm=clip,
        expected_batch_size=1,
    )
    made.words = random_words(3)
    return made


def gradients(rows: int, scale: float = 1.0, seed: int = 0) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(rows, *size, generator=draw) * scale for size in SIZES]


def whole_sum(made: FixedPointOptimizer, samples: list[torch.Tensor]) -> torch.Tensor:
    """The clipped sum in units of the grid."""
    for parameter, sample in zip(made.params, samples, strict=True):
        parameter.grad_sample = sample.clone()
    made.clip_and_accumulate()
    return torch.cat([parameter.summed_grad.flatten() for parameter in made.params])


@pytest.mark.parametrize("clip", [1e-3, 0.3, 1.0, 7.7])
@pytest.mark.parametrize("scale", [1e-30, 1e-4, 9.1e-3, 1.0, 1e15, 1e30])
def test_no_gradient_is_longer_than_the_clipping_norm(clip: float, scale: float) -> None:
    for seed in range(5):
        whole = whole_sum(optimizer(clip), gradients(1, scale * clip, seed))
        assert whole.dtype == torch.int64
        assert float(whole.double().norm()) * GRID <= 1


def test_a_gradient_at_the_clipping_norm_and_one_below_keep_their_values() -> None:
    for scale in (1e-3, 1.0):
        samples = gradients(1, scale)
        flat = torch.cat([sample.flatten() for sample in samples]).double()
        expected = flat * min(1.0, 1 / float(flat.norm()))
        torch.testing.assert_close(whole_sum(optimizer(), samples).double() * GRID, expected, rtol=2e-6, atol=2 * GRID)


def test_sums_do_not_depend_on_order_or_grouping() -> None:
    samples = gradients(64, 3.0)
    whole = whole_sum(optimizer(), samples)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(1))
    made = optimizer()
    for part in order.split(7):
        grouped = whole_sum(made, [sample[part] for sample in samples])
    assert torch.equal(grouped, whole)
    assert torch.equal(
        whole - whole_sum(optimizer(), [s[1:] for s in samples]), whole_sum(optimizer(), [s[:1] for s in samples])
    )


def test_an_empty_batch_is_zero_plus_noise_on_the_grid() -> None:
    made = optimizer(clip=0.25, noise_multiplier=2.0)
    assert not whole_sum(made, gradients(0)).any()
    made.add_noise()
    noise = torch.cat([parameter.grad.flatten() for parameter in made.params]).double() / 0.25
    assert torch.equal((noise / GRID).round() * GRID, noise) and abs(float(noise.std()) - 2) < 0.1


def test_what_is_released_is_the_whole_sum_plus_whole_noise() -> None:
    """So the low bits say nothing about the sum: the same noise falls on the same multiples around any sum."""
    noisy = []
    for samples in (gradients(0), gradients(5)):
        made = optimizer(noise_multiplier=1.5)
        total = whole_sum(made, samples)
        made.add_noise()
        noisy.append((torch.cat([parameter.grad.flatten() for parameter in made.params]).double() / GRID, total))
    (first, _), (second, total) = noisy
    np.testing.assert_allclose(second - total, first, rtol=0, atol=2.0**11)  # float32 keeps 24 bits of 2^35
