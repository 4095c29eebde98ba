"""Next-token logits of a language model at chosen positions, without holding the logits of all other positions."""

from collections.abc import Iterator

import torch
from torch import nn

from lib.models.examples import Batch, Example
from lib.models.losses import head_splits

POSITIONS_AT_ONCE = 256  # whose logits are held: 50 MB with a vocabulary of 50k


def splits(model: nn.Module, example: Example) -> bool:
    """Whether ``model`` is a decoder followed by an output head, so that the head can skip positions.

    ``example`` is any example, to compare the two on (see `lib.models.losses.head_splits`).
    """
    return head_splits(model, Batch.of([example], 0, next(model.parameters()).device))


@torch.no_grad()
def logits_at(
    model: nn.Module, ids: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, *, split_head: bool
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Logits of the token after each of n positions, in chunks.

    Args:
        model: a causal language model.
        ids: padded token ids, (texts, tokens).
        rows: row in ``ids`` of each position, (n,).
        columns: column in ``ids`` of each position, (n,).
        split_head: run the output head on these positions alone; only where `splits` is true.

    Yields:
        Which of the n positions a chunk holds, and its logits, float32 (positions, vocabulary).
    """
    if split_head:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        head = base.get_output_embeddings()
        seen = base.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[rows, columns]
    else:
        head, seen = nn.Identity(), model(input_ids=ids, use_cache=False).logits[rows, columns]
    for start in range(0, len(seen), POSITIONS_AT_ONCE):
        chunk = slice(start, start + POSITIONS_AT_ONCE)
        yield chunk, head(seen[chunk]).float()
