"""What a training asks of the processes that share it, where there is one; several are `lib.methods.dp_lora.ranks`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from lib.methods.dp_lora.gradients import Units
from lib.methods.dp_lora.settings import Settings


class Alone:
    """A single process: it does all the work itself, and there is nothing to agree on."""

    size = 1

    def begin(self, settings: Settings, split_head: bool, parameters: Sequence[nn.Parameter]) -> None:
        """Tell the other processes of a training: its ``settings``, ``split_head``, and the weights that learn."""

    def share(
        self, step: int, groups: Sequence[Units], costs: Sequence[int], parameters: Sequence[nn.Parameter]
    ) -> Sequence[int | None]:
        """Deal out the micro-batches of a step.

        Args:
            step: counted from 0.
            groups: the units of each micro-batch.
            costs: tokens of each micro-batch, padding counted.
            parameters: the weights that learn, as they are before the step.

        Returns:
            Places in ``groups`` of those that this process computes, in this order; at least one, and None stands for a
            micro-batch without units.
        """
        return range(len(groups)) or [None]

    def gather(self, sums: Sequence[torch.Tensor]) -> None:
        """Add what the other processes have summed to ``sums``, one tensor a parameter, in place."""

    def all(self, holds: bool) -> bool:
        """Whether something ``holds`` in all processes."""
        return holds

    @contextmanager
    def evaluating(self, model: nn.Module) -> Iterator[None]:
        """Within it this process may run the ``model`` without gradients, however often, also where it is split."""
        yield

    @contextmanager
    def working(self) -> Iterator[None]:
        """Within it, an error that comes of another process's end is told as that."""
        yield

    def close(self) -> None:
        """End the other processes."""


ALONE = Alone()
