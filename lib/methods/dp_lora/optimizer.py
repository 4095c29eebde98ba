"""Clips, adds up and noises the gradients of DP-SGD in whole numbers, so that no rounding can break its account.

Sensitivity: each unit's gradient is clipped and then rounded towards zero to multiples of ``max_grad_norm`` x `GRID`,
which lengthens no gradient. Sums of such multiples are exact, in any order and grouping. So one unit changes the sum by
its own clipped gradient, of norm at most ``max_grad_norm``, provided that it changes no other unit's gradient
(`lib.methods.dp_lora.shapes`).

Noise: Gaussian of standard deviation ``noise_multiplier`` x ``max_grad_norm`` on every coordinate, rounded to the same
multiples. A multiple plus rounded noise is the rounded noisy sum: post-processing of the Gaussian mechanism. So the low
bits of what is released tell nothing about the sum (Mironov 2012 shows how they can).
"""

from collections.abc import Callable, Sequence

import torch
from opacus.optimizers import DPOptimizer

from lib.privacy.mechanisms import Words, standard_normal

GRID = 2.0**-32  # of the clipping norm; int64 then holds the sum of 2^31 units
MARGIN = 2.0**-20  # below the clipping norm; clipping in float32 errs by less


class FixedPointOptimizer(DPOptimizer):
    """Opacus' optimizer with exact sums, and with noise from `Words`.

    Args:
        gather: called once a step, before the noise, with the sums of all parameters, int64: adds to them, in place,
            what other processes have summed.

    Attributes:
        words: the source of the coming step's noise; set it anew before every step.
    """

    words: Words

    def __init__(
        self, *given: object, gather: Callable[[Sequence[torch.Tensor]], None] = lambda sums: None, **named: object
    ):
        super().__init__(*given, **named)
        self.gather = gather

    def clip_and_accumulate(self) -> None:
        """Clip each unit's gradient, ``grad_sample``, and add it to ``summed_grad``, int64."""
        samples = [sample.float() for sample in self.grad_samples]
        norms = torch.stack(
            [torch.linalg.vector_norm(sample.flatten(1), dim=1, dtype=torch.float64) for sample in samples]
        ).norm(dim=0)
        factors = ((1 - MARGIN) * self.max_grad_norm / norms).clamp(max=1) / (GRID * self.max_grad_norm)
        for parameter, sample in zip(self.params, samples, strict=True):
            whole = sample.mul_(factors.float().view(-1, *[1] * parameter.dim())).trunc_()
            total = whole.sum(0, dtype=torch.float64).long()  # exact: fewer than 2^21 rows of at most 2^32
            parameter.summed_grad = total if parameter.summed_grad is None else parameter.summed_grad + total

    def add_noise(self) -> None:
        """Add noise to ``summed_grad``, once for all processes together, and write the result to ``grad``."""
        self.gather([parameter.summed_grad for parameter in self.params])
        for parameter in self.params:
            noise = standard_normal(parameter.numel(), self.words) * (self.noise_multiplier / GRID)
            noisy = parameter.summed_grad + noise.round().long().view_as(parameter).to(parameter.device)
            parameter.grad = (noisy.double() * (GRID * self.max_grad_norm)).to(parameter.dtype)
