"""The checkpoint of a training: its weights and optimizer, and how far it has come."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from lib.common.files import write_atomic


@dataclass
class Progress:
    """How far a training has come: what a checkpoint holds besides weights and optimizer.

    *Evaluation only*: DP-SGD releases none of it, and all but ``step`` says something about the records.

    Attributes:
        step: steps done.
        batch_sizes: units in the batch of each step, empty batches included.
        overlaps: units that each batch shares with the batch before; one fewer than ``batch_sizes``, or fewer still,
            because a resumed training does not know the batch before its checkpoint.
        records: records seen, repeated ones counted again.
        tokens: tokens seen, prompts included.
        curve: rows [step, values that ``evaluate`` returned], from step 0 on.
    """

    step: int = 0
    batch_sizes: list[int] = field(default_factory=list)
    overlaps: list[int] = field(default_factory=list)
    records: int = 0
    tokens: int = 0
    curve: list[list[float]] = field(default_factory=list)


def save(file: Path, state: Mapping[str, object], progress: Progress) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        file: where to; an earlier checkpoint is replaced.
        state: tensors and plain values.
        progress: of the training.
    """
    buffer = io.BytesIO()
    torch.save({**state, "progress": vars(progress)}, buffer)
    write_atomic(file, buffer.getvalue())


def read(file: Path) -> tuple[dict, Progress]:
    """Read a checkpoint.

    Args:
        file: that `save` wrote.

    Returns:
        The state, with tensors on the CPU, and the progress.
    """
    state = torch.load(file, map_location="cpu", weights_only=True)
    return state, Progress(**state.pop("progress"))
