"""Records as token ids: examples, padded batches, and groups of similar length."""

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
    """A record as token ids. Its length is the number of tokens of prompt and completion.

    Attributes:
        prompt: ids of the prompt.
        completion: ids of the completion; ends with EOS unless it was cut off.
        unit: number of the privacy unit (record or user) that the example belongs to.
        wrong_prompt: ids of a prompt with other labels, for `lib.methods.dp_lora.contrast`; not counted in the length.
    """

    prompt: Sequence[int]
    completion: Sequence[int]
    unit: int
    wrong_prompt: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


@dataclass(frozen=True)
class Batch:
    """Examples padded on the right, and the positions where completion tokens are predicted.

    The padding needs no attention mask, because causal attention never looks right. With E examples, T positions and
    C completion tokens in all, each tensor is int64:

    Attributes:
        input_ids: token ids, shape (E, T). An example's last token is left out: nothing is predicted from it.
        rows: example of each completion token, shape (C,), ascending.
        columns: position from which it is predicted, shape (C,).
        targets: its id, shape (C,): the output at position (row, column) predicts the target.
        lengths: completion tokens of each example, shape (E,).
    """

    input_ids: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor
    targets: torch.Tensor
    lengths: torch.Tensor

    @classmethod
    def of(cls, examples: Sequence[Example], pad: int, device: torch.device | str) -> "Batch":
        """The batch of ``examples`` on a ``device``, filled up with the id ``pad``."""
        ids = [torch.tensor([*example.prompt, *example.completion][:-1]) for example in examples]
        lengths = torch.tensor([len(example.completion) for example in examples])
        starts = torch.tensor([len(example.prompt) - 1 for example in examples])
        rows = torch.repeat_interleave(torch.arange(len(examples)), lengths)
        offsets = torch.arange(len(rows)) - torch.repeat_interleave(lengths.cumsum(0) - lengths, lengths)
        targets = torch.tensor([token for example in examples for token in example.completion])
        padded = nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=pad)
        tensors = padded, rows, starts[rows] + offsets, targets, lengths
        return cls(*(tensor.to(device, non_blocking=True) for tensor in tensors))


def by_length(rows: Sequence[int], widths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Group items of similar width, so that little is padded.

    Args:
        rows: how many sequences each item has.
        widths: tokens of the longest sequence of each item.
        tokens: the most that a group's sequences x widest may be. A larger item is a group by itself, never cut.

    Yields:
        Indices of the items of a group, from the narrowest group to the widest.
    """
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
    """Encode records for training or for losses.

    Args:
        records: at least one; may be private, and so may the examples.
        tokenizer: the model's own.
        prompt: the prompt in front of every record.
        max_tokens: the most tokens of a completion, EOS counted; at least 1.
        unit: ``record`` (each record is its own privacy unit) or ``user`` (a user's records are one unit).

    Returns:
        The examples in the order of ``records``, and how many of them were cut off and so end without EOS.

    Raises:
        DoppelError: there are no records, or `lib.models.prompt.encode` refuses one.
    """
    if not records:
        raise DoppelError(
            "models.records_missing",
            "no records to encode",
            name="records",
            value=0,
            remedy="look at the table of 00_process_data",
        )
    units = owner_numbers(records) if unit == "user" else range(len(records))
    encoded = [encode(tokenizer, prompt, record.text.reveal(), record.labels, max_tokens) for record in records]
    examples = [Example(ids.prompt, ids.completion, number) for number, ids in zip(units, encoded, strict=True)]
    return examples, sum(ids.truncated for ids in encoded)
