"""Micro-batches of shapes that no other unit can change, so that no other unit can change a unit's gradient.

A matrix product adds up its terms in an order that depends on its shape, and sums in another order round differently:
in bfloat16 by up to a hundredth. If a batch's longest example or its number of examples set the shapes, one more unit
would move the gradients of others, and the clipped sum by more than the clipping norm. Here a unit's own lengths alone
set its shape, and the shape sets the number of rows; free rows are filled up. What remains is that a row might depend
on the contents of the others or on its place: `rows_are_independent` measures that.

The output head is the dearest layer, and nothing is predicted within a prompt, so the head runs behind the prompt only.

Unit, neighbours, sampler and sensitivity are those of `lib.methods.dp_lora.trainer`.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import torch
from torch import nn

from lib.methods.dp_lora.contrast import factors
from lib.methods.dp_lora.contrast import rows as sequences
from lib.methods.dp_lora.settings import PROBED, rounded, rows_of
from lib.models.examples import Batch, Example, by_length
from lib.models.losses import head_chunk, token_losses

START_STEP = 16  # prompts of nearly one length, as labels make them, share a shape: more shapes are more to fill up


class Shape(NamedTuple):
    """What follows from a unit's lengths.

    Attributes:
        start: the first position at which the output head runs; within the unit's shortest prompt, or at its end.
        width: positions of an example.
    """

    start: int
    width: int


@dataclass(frozen=True)
class Shapes:
    """The shapes of a training's micro-batches, (rows, width); they follow from public settings.

    Attributes:
        tokens: the most tokens of a micro-batch, padding counted, except for a unit with more.
        expected_batch: units in a batch on average.
        positions: the most positions that the model takes; None: any number.
        contrast: weight of the loss against wrong prompts (`lib.methods.dp_lora.contrast`). Above 0, each example has
            two rows.
    """

    tokens: int
    expected_batch: float
    positions: int | None = None
    contrast: float = 0.0

    def of(self, examples: Sequence[Example]) -> Shape:
        """The shape of a unit's micro-batch, from its shortest prompt and its longest example alone.

        The positions behind the start are rounded up (`lib.methods.dp_lora.settings.rounded`).

        Args:
            examples: the unit's, at least one.
        """
        start = (min(len(example.prompt) for example in examples) - 1) // START_STEP * START_STEP
        needed = max(map(len, examples)) - 1 - start  # nothing is predicted from the last token
        padded = start + rounded(needed)
        return Shape(start, max(start + needed, min(padded, self.positions or padded)))

    def rows(self, width: int) -> int:
        """The rows of a micro-batch of this width. A unit with more examples has a micro-batch by itself."""
        return rows_of(width, self.tokens, self.expected_batch, self.contrast)

    def groups(self, units: Sequence[Sequence[Example]]) -> Iterator[list[int]]:
        """Split a batch into micro-batches, each of one shape.

        Args:
            units: the rows of each unit. A unit is never split.

        Yields:
            Indices of the units of a micro-batch.
        """
        by_shape: dict[Shape, list[int]] = {}
        for index, examples in enumerate(units):
            by_shape.setdefault(self.of(examples), []).append(index)
        for (_, width), members in sorted(by_shape.items()):
            heights, most = [len(units[index]) for index in members], self.rows(width) * width
            for group in by_length(heights, [width] * len(members), most):
                yield [members[i] for i in group]

    def size(self, units: Sequence[Sequence[Example]]) -> int:
        """Tokens of a micro-batch of these units, padding counted."""
        members = list(chain(*units))
        width = self.of(members).width
        return max(self.rows(width), len(members)) * width

    def loss(self, model: nn.Module, units: Sequence[Sequence[Example]], *, pad: int, split_head: bool) -> torch.Tensor:
        """A sum whose gradient is that of the examples' summed losses, computed in the micro-batch's shape.

        The output head runs at every position from the shape's start on: were it the completions' positions alone, the
        lengths of other completions would set the shape of its product.

        Args:
            model: as `lib.models.losses.token_losses` takes it.
            units: the rows of each unit of one group, as `lib.methods.dp_lora.contrast.rows` yields them.
            pad: token id that fills up rows and micro-batch.
            split_head: as `lib.models.losses.token_losses` takes it.

        Returns:
            A scalar, float32; without contrast the sum of mean losses in nats per completion token.
        """
        members, device = list(chain(*units)), next(model.parameters()).device
        start, width = self.of(members)
        rows, columns = max(self.rows(width), len(members)), width - start
        tokens, weights = torch.full((rows, width + 1), pad), torch.zeros(rows, columns)
        for number, member in enumerate(members):
            tokens[number, : len(member)] = torch.tensor([*member.prompt, *member.completion])
        places = torch.arange(rows * columns)
        missing = -len(places) % head_chunk(len(places))  # all chunks of the head are of one size
        places = torch.cat([places, places.new_zeros(missing)])
        row, column = places // columns, start + places % columns
        parts = tokens[:, :-1], row, column, tokens[row, column + 1], torch.full((rows,), width)
        losses = token_losses(model, Batch(*(part.to(device) for part in parts)), split_head=split_head)
        spans = [slice(len(member.prompt) - 1 - start, len(member) - 1 - start) for member in members]
        values = losses[: rows * columns].view(rows, columns).tolist()
        means = [math.fsum(line[span]) / len(line[span]) for line, span in zip(values, spans, strict=False)]
        for number, factor in enumerate(factors(members, means, self.contrast)):
            weights[number, spans[number]] = factor / len(members[number].completion)
        weights = torch.cat([weights.flatten(), weights.new_zeros(missing)])
        return (losses * weights.to(device)).sum()


def rows_are_independent(model: nn.Module, shapes: Shapes, *, split_head: bool) -> bool:
    """Whether an example's gradient has the same bits whoever shares its micro-batch, and at whatever place.

    It is a measurement at the shapes of `_probes`, no proof for others.

    Args:
        model: with `lib.methods.dp_lora.per_sample.attach` called on it; its mode is restored afterwards.
        shapes: those of the training.
        split_head: as `lib.models.losses.token_losses` takes it.
    """
    with _evaluating(model):
        alone, beside = (_probes(model, shapes, split_head=split_head, company=company) for company in (False, True))
        # all of them, whatever comes out: processes with split weights must compute as many
        equal = [torch.equal(*pair) for pair in zip(alone, beside, strict=True)]
    return all(equal)


def fingerprint(model: nn.Module, shapes: Shapes, *, split_head: bool) -> int:
    """A hash of the bits of gradients of made-up examples. Processes that compute alike have the same one.

    Args:
        model: as `rows_are_independent` takes it.
        shapes: likewise.
        split_head: likewise.

    Returns:
        62 bits of a SHA-256 over the gradients of `_probes`.
    """
    digest = hashlib.sha256()
    with _evaluating(model):
        for gradient in _probes(model, shapes, split_head=split_head, company=False):
            digest.update(gradient.cpu().numpy().tobytes())
    return int.from_bytes(digest.digest()[:8], "big") >> 2


def _probes(model: nn.Module, shapes: Shapes, *, split_head: bool, company: bool) -> Iterator[torch.Tensor]:
    """Gradients of made-up examples, each alone in its micro-batch, or the last one in company.

    Without dropout, so they say nothing about records, at widths of 16, 64, 256, ... up to an eighth of a micro-batch,
    with short prompts and with those of half the width, and with wrong prompts where the training has them.
    """
    draw, vocabulary = torch.Generator().manual_seed(0), model.get_input_embeddings().num_embeddings
    limit = min(shapes.tokens // 8, shapes.positions or shapes.tokens)
    widths = [width for width in PROBED if width <= limit] or [8]
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def unit(width: int, prompt: int) -> list[Example]:
        ids, wrong = (torch.randint(vocabulary, (width,), generator=draw).tolist() for _ in range(2))
        return list(sequences([Example(ids[:prompt], ids[prompt:], 0, wrong[:prompt] if shapes.contrast else None)]))

    for width, prompt in chain.from_iterable(((width, 4), (width, width // 2)) for width in widths):
        probe = unit(width, prompt)
        others = [unit(width, prompt) for _ in range(shapes.rows(width) // len(probe) - 1)]
        units = [*others, probe] if company else [probe]
        shapes.loss(model, units, pad=0, split_head=split_head).backward()
        end = sum(map(len, units))
        gradient = torch.cat([parameter.grad_sample[end - len(probe) : end].flatten() for parameter in parameters])
        for parameter in parameters:
            parameter.grad_sample = None
        yield gradient


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    was_training = model.training
    model.eval()
    yield
    model.train(was_training)
