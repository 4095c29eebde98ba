"""Token ids of records: single examples, padded batches, and groups of similar length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.data.records import Record, owner_numbers
from lib.models.prompt import Prompt, encode


@dataclass(frozen=True)
class Example:
    """One record as token ids. ``completion`` ends with EOS unless it was cut; ``unit`` is its owner's number."""

    prompt: Sequence[int]
    completion: Sequence[int]
    unit: int

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


@dataclass(frozen=True)
class Batch:
    """Right-padded token ids (examples, tokens), and where the next completion token is predicted.

    Causal attention never looks right, so the padding needs no mask. ``rows``, ``columns`` and
    ``targets`` (one entry a completion token) say: position (row, column) predicts target.
    """

    input_ids: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor
    targets: torch.Tensor
    lengths: torch.Tensor  # completion tokens of each example

    @classmethod
    def of(cls, examples: Sequence[Example], pad: int, device: torch.device | str) -> "Batch":
        ids = [torch.tensor([*e.prompt, *e.completion][:-1]) for e in examples]
        lengths = torch.tensor([len(e.completion) for e in examples])
        starts = torch.tensor([len(e.prompt) - 1 for e in examples])
        rows = torch.repeat_interleave(torch.arange(len(examples)), lengths)
        within = torch.arange(len(rows)) - torch.repeat_interleave(lengths.cumsum(0) - lengths, lengths)
        targets = torch.tensor([t for e in examples for t in e.completion])
        padded = nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=pad)
        parts = padded, rows, starts[rows] + within, targets, lengths
        return cls(*(part.to(device, non_blocking=True) for part in parts))


def by_length(rows: Sequence[int], widths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Indices of items of similar width together, rows x widest at most ``tokens`` (an item is never cut)."""
    group: list[int] = []
    height = 0
    for item in sorted(range(len(widths)), key=lambda i: (widths[i], i)):
        if group and (height + rows[item]) * widths[item] > tokens:
            yield group
            group, height = [], 0
        group.append(item)
        height += rows[item]
    if group:
        yield group


def encode_all(
    records: Sequence[Record], tokenizer: PreTrainedTokenizerBase, prompt: Prompt, *, max_tokens: int, unit: str
) -> tuple[list[Example], int]:
    """Examples in the order of the records, and how many were cut at ``max_tokens`` (these end without EOS).

    ``unit`` is ``record`` (each record is its own unit) or ``user`` (a user's records share one).
    """
    if not records:
        raise DoppelError("no records to encode; look at the table of 00_process_data")
    units = owner_numbers(records) if unit == "user" else range(len(records))
    examples, cut = [], 0
    for number, record in zip(units, records, strict=True):
        one = encode(tokenizer, prompt, record.text.reveal(), record.labels, max_tokens)
        cut += one.truncated
        examples.append(Example(one.prompt, one.completion, number))
    return examples, cut
