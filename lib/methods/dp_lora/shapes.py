"""Micro-batches of shapes that no other unit can change, so that no other unit can change a unit's gradient.

A matrix product adds up its terms in an order that depends on its shape, and sums in another order round differently:
in bfloat16 by up to a hundredth. If a batch's longest example or its number of examples set the shapes, one more unit
would move the gradients of others, and the clipped sum by more than the clipping norm. Here a unit's own length alone
sets its width, and the width sets the number of rows; free rows are filled up. What remains is that a row might depend
on the contents of the others or on its place: `rows_are_independent` measures that.

Unit, neighbours, sampler and sensitivity are those of `lib.methods.dp_lora.trainer`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import nn

from lib.models.examples import Batch, Example, by_length
from lib.models.losses import HEAD_CHUNK, token_losses

GROUPS = 32  # micro-batches in a usual batch, or more: the last one of each width is filled up
LEAST_TOKENS = 256  # of a micro-batch in spite of that, because smaller products are slower


@dataclass(frozen=True)
class Shapes:
    """The shapes of a training's micro-batches, (rows, width); they follow from public settings.

    Attributes:
        tokens: the most tokens of a micro-batch, padding counted, except for a unit with more.
        expected_batch: units in a batch on average.
        positions: the most positions that the model takes; None: any number.
    """

    tokens: int
    expected_batch: float
    positions: int | None = None

    def width(self, examples: Sequence[Example]) -> int:
        """The width of a unit's micro-batch: its longest example, rounded up; at most four widths an octave."""
        needed = max(map(len, examples)) - 1  # nothing is predicted from the last token
        step = 2 ** max(3, (needed - 1).bit_length() - 3)
        padded = math.ceil(needed / step) * step
        return max(needed, min(padded, self.positions or padded))

    def rows(self, width: int) -> int:
        """The rows of a micro-batch of this width. A unit with more examples has a micro-batch by itself."""
        wanted = max(LEAST_TOKENS // width, math.ceil(self.expected_batch / GROUPS))
        return max(1, min(self.tokens // width, wanted))

    def groups(self, units: Sequence[Sequence[Example]]) -> Iterator[list[int]]:
        """Split a batch into micro-batches, each of one width.

        Args:
            units: the examples of each unit. A unit is never split.

        Yields:
            Indices of the units of a micro-batch.
        """
        by_width: dict[int, list[int]] = {}
        for index, examples in enumerate(units):
            by_width.setdefault(self.width(examples), []).append(index)
        for width, members in sorted(by_width.items()):
            heights, most = [len(units[index]) for index in members], self.rows(width) * width
            for group in by_length(heights, [width] * len(members), most):
                yield [members[i] for i in group]

    def loss(self, model: nn.Module, units: Sequence[Sequence[Example]], *, pad: int, split_head: bool) -> torch.Tensor:
        """Sum of the examples' mean losses, computed in the micro-batch's shape.

        The output head runs at every position: were it the completions' positions alone, the lengths of other
        completions would set the shape of its product.

        Args:
            model: as `lib.models.losses.token_losses` takes it.
            units: the examples of each unit of one group.
            pad: token id that fills up rows and micro-batch.
            split_head: as `lib.models.losses.token_losses` takes it.

        Returns:
            The sum in nats per completion token, float32, a scalar.
        """
        examples, device = list(chain(*units)), next(model.parameters()).device
        width = self.width(examples)
        rows = max(self.rows(width), len(examples))
        tokens, weights = torch.full((rows, width + 1), pad), torch.zeros(rows, width)
        for row, example in enumerate(examples):
            tokens[row, : len(example)] = torch.tensor([*example.prompt, *example.completion])
            weights[row, len(example.prompt) - 1 : len(example) - 1] = 1 / len(example.completion)
        places = torch.arange(rows * width)
        if len(places) > HEAD_CHUNK:  # all chunks of the head are of one size
            places = torch.cat([places, places.new_zeros(-len(places) % HEAD_CHUNK)])
        weights = weights.flatten()[places]
        weights[rows * width :] = 0
        parts = tokens[:, :-1], places // width, places % width, tokens[:, 1:].flatten()[places]
        batch = Batch(*(part.to(device) for part in (*parts, torch.full((rows,), width))))
        return (token_losses(model, batch, split_head=split_head) * weights.to(device)).sum()


def rows_are_independent(model: nn.Module, shapes: Shapes, *, split_head: bool) -> bool:
    """Whether an example's gradient has the same bits whoever shares its micro-batch, and at whatever place.

    Measured without dropout on made-up tokens, so it says nothing about records, at widths of 16, 64, 256, ... up to
    an eighth of a micro-batch. It is a measurement at these shapes, no proof for others.

    Args:
        model: with `lib.methods.dp_lora.per_sample.attach` called on it; its mode is restored afterwards.
        shapes: those of the training.
        split_head: as `lib.models.losses.token_losses` takes it.
    """
    draw, vocabulary = torch.Generator().manual_seed(0), model.get_input_embeddings().num_embeddings
    limit = min(shapes.tokens // 8, shapes.positions or shapes.tokens)
    widths = [width for width in (16, 64, 256, 1024) if width <= limit] or [8]
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def example(width: int) -> Example:
        ids = torch.randint(vocabulary, (width,), generator=draw).tolist()
        return Example(ids[:4], ids[4:], 0)

    def gradient(examples: Sequence[Example], row: int) -> torch.Tensor:
        shapes.loss(model, [examples], pad=0, split_head=split_head).backward()
        found = torch.cat([parameter.grad_sample[row].flatten() for parameter in parameters])
        for parameter in parameters:
            parameter.grad_sample = None
        return found

    was_training = model.training
    model.eval()
    same = True
    for width in widths:
        probe, others = example(width), [example(width) for _ in range(shapes.rows(width) - 1)]
        same = same and torch.equal(gradient([probe], 0), gradient([*others, probe], len(others)))
    model.train(was_training)
    return same
