"""Gradients of units in one micro-batch, on whatever process computes them, and the masks of dropout in a step.

Unit, neighbours, sampler and sensitivity are those of `lib.methods.dp_lora.trainer`; nothing is clipped here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from lib.common.errors import DoppelError
from lib.methods.dp_lora import contrast, per_sample
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.shapes import Shapes, fingerprint, rows_are_independent
from lib.models.examples import Batch, Example
from lib.models.four_bits import compute_in_float32
from lib.models.losses import example_losses
from lib.models.split_weights import is_split
from lib.privacy.mechanisms import mask_generator

if TYPE_CHECKING:
    from lib.methods.dp_lora.alone import Alone

PAD = 0  # any id will do: causal attention and the loss never look at the padding
DROPOUT = 2  # stream of random draws, beside those of `lib.methods.dp_lora.trainer`

Units = Sequence[Sequence[Example]]  # the rows of each unit, as `lib.methods.dp_lora.contrast.rows` yields them


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """The weights of a ``model`` that learn, in its own order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def shapes_of(model: nn.Module, settings: Settings, split_head: bool, ranks: "Alone") -> Shapes:
    """Prepare a model for per-example gradients whose bits no other unit, and no other process, can change.

    Args:
        model: with its adapters; in bfloat16 it becomes float32 where the rows of a micro-batch depend on each other in
            any process.
        settings: of a training with privacy.
        split_head: as `lib.models.losses.token_losses` takes it.
        ranks: the processes that share the work; each calls this function.

    Returns:
        The shapes of the training's micro-batches.

    Raises:
        DoppelError: a trainable parameter cannot be clipped per example, the processes do not compute alike, or
            bfloat16 is not safe and the weights are split, so that float32 cannot be taken.
    """
    per_sample.attach(model)
    positions = getattr(model.config, "max_position_embeddings", None)
    shapes = Shapes(settings.tokens_per_micro_batch, settings.expected_batch, positions, settings.contrast)
    if any(p.dtype == torch.bfloat16 for p in model.parameters()) and not ranks.all(
        rows_are_independent(model, shapes, split_head=split_head)
    ):
        if is_split(model):
            ranks.close()
            raise DoppelError(
                "methods.split_in_bfloat16",
                "bfloat16 would let one record move the gradients of others on this machine",
                name="dtype",
                value="bfloat16",
                remedy="set dtype: float32; weights that are split cannot be changed to it, and take twice the memory",
            )
        compute_in_float32(model)
        print("bfloat16 would let one record move the gradients of others on this machine: float32 is used")
    if ranks.size > 1 and not ranks.same(fingerprint(model, shapes, split_head=split_head)):
        ranks.close()
        raise DoppelError(
            "methods.ranks_differ",
            "the processes do not compute the same gradient to the bit, so where a record goes could tell of others",
            name="processes",
            remedy="use cards of one model, or processes: 1",
        )
    return shapes


def of_units(model: nn.Module, units: Units, shapes: Shapes, *, split_head: bool) -> None:
    """Write each unit's gradient to ``grad_sample``, one row a unit, of every trainable parameter.

    Args:
        model: with `lib.methods.dp_lora.per_sample.attach` called on it.
        units: those of a micro-batch of one shape; none: no rows are written.
        shapes: those of the training.
        split_head: as `lib.models.losses.token_losses` takes it.
    """
    if not units:
        _take_part(model, split_head=split_head)
        for parameter in trainable(model):
            parameter.grad_sample = torch.zeros(0, *parameter.shape, device=parameter.device)
        return
    examples = list(chain(*units))
    shapes.loss(model, units, pad=PAD, split_head=split_head).backward()
    device = next(model.parameters()).device
    rows = torch.tensor([row for row, unit in enumerate(units) for _ in unit], device=device)
    for parameter in trainable(model):
        sample = parameter.grad_sample[: len(examples)]  # without the rows that fill up
        if len(units) < len(examples):  # a user's records are clipped together
            sample = torch.zeros(len(units), *parameter.shape, device=device).index_add_(0, rows, sample)
        # NaN would pass the clipping and reach the sum, so entries that overflowed count as zero
        parameter.grad_sample = sample.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)


def summed(model: nn.Module, units: Units, weight: float, *, split_head: bool, pad: int = PAD) -> None:
    """Add the gradient of the units' summed losses to ``grad`` of every trainable parameter: no row a unit, no privacy.

    Args:
        model: whose layers compute ordinary gradients.
        units: those of a micro-batch; none: zeros are added.
        weight: of the loss against wrong prompts, ``contrast`` of the settings.
        split_head: as `lib.models.losses.token_losses` takes it.
        pad: fills up shorter rows; layers that cache what they computed know their own.
    """
    if not units:
        before = [parameter.grad for parameter in trainable(model)]
        _take_part(model, split_head=split_head)
        for parameter, grad in zip(trainable(model), before, strict=True):
            parameter.grad = torch.zeros_like(parameter) if grad is None else grad
        return
    examples, device = list(chain(*units)), next(model.parameters()).device
    means = example_losses(model, Batch.of(examples, pad, device), split_head=split_head)
    scale = contrast.factors(examples, means.tolist(), weight)
    (means * torch.tensor(scale, device=device)).sum().backward()


def _take_part(model: nn.Module, *, split_head: bool) -> None:
    """Where the weights are split, compute a made-up text, since the others gather layers at the same time.

    Its gradients are left in ``grad`` or ``grad_sample``, for the caller to throw away.
    """
    if is_split(model):
        for parameter in trainable(model):
            parameter.grad = None  # instead of adding to it
        batch = Batch.of([Example([PAD], [PAD], 0)], PAD, next(model.parameters()).device)
        example_losses(model, batch, split_head=split_head).sum().backward()


@contextmanager
def masks(settings: Settings, step: int, device: torch.device, rank: int = 0) -> Iterator[None]:
    """Within it, dropout draws the masks of one step; afterwards the global generator is as it was before.

    Args:
        settings: with privacy the masks are as secret as the noise, see `lib.methods.dp_lora.trainer`.
        step: counted from 0.
        device: of the model.
        rank: of the process; each draws masks of its own.
    """
    stream = [step, rank] if rank else [step]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        if settings.noise_multiplier is None:
            words = np.random.SeedSequence([settings.seed, *stream]).generate_state(1)
            torch.manual_seed(int(words[0]))
        else:
            state = mask_generator(settings.privacy_seed, DROPOUT, *stream, device=device).get_state()
            if device.type == "cuda":
                torch.cuda.set_rng_state(state, device)
            else:
                torch.set_rng_state(state)
        yield
