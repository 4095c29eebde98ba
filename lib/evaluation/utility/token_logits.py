"""What a language model says of the next token at chosen places, without keeping logits of all others."""

from collections.abc import Iterator

import torch
from torch import nn

from lib.models.examples import Batch, Example
from lib.models.losses import head_splits

PLACES_AT_ONCE = 256  # whose logits are held: 50 MB at 50k words


def splits(model: nn.Module, example: Example) -> bool:
    """Whether the model is a decoder and an output head, so that the head need not read every place."""
    return head_splits(model, Batch.of([example], 0, next(model.parameters()).device))


@torch.no_grad()
def logits_at(
    model: nn.Module, ids: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, *, split_head: bool
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Logits after the places (row, column) of ids (texts, tokens), float32 (some places, words), part by part."""
    if split_head:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        head = base.get_output_embeddings()
        seen = base.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[rows, columns]
    else:
        head, seen = nn.Identity(), model(input_ids=ids, use_cache=False).logits[rows, columns]
    for start in range(0, len(seen), PLACES_AT_ONCE):
        part = slice(start, start + PLACES_AT_ONCE)
        yield part, head(seen[part]).float()
