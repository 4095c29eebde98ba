"""Texts that a model reads side by side, with what it computed for them so far."""

import inspect
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from transformers import DynamicCache, PreTrainedModel

from lib.models.hidden_states import Directions


class Contexts:
    """Texts that a model reads side by side, padded on the left, with the keys and values of what it has read.

    Args:
        model: a causal language model in eval mode.
        prompts: token ids of each text, at least one text.
        pad: id of the padding token.
        shared: token ids that come before every prompt; read once for all of them.
        shape: (rows, positions) that prompts are filled up to, at least as many and as long as they are. Then no text
            sets the shape of what is computed for another. None: as many rows as there are different prompts, which
            are read once, and as many positions as the longest has.
        steering: what moves the model's hidden states while it reads the end of a prompt and what follows; not with
            ``shared`` or ``shape``.
        moved: the direction of each text; needed with ``steering``.

    Attributes:
        logits: of the next token of each text, (texts, vocabulary); with a ``shape``, of rows behind the texts too.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        prompts: Sequence[Sequence[int]],
        pad: int,
        shared: Sequence[int] = (),
        shape: tuple[int, int] | None = None,
        *,
        steering: Directions | None = None,
        moved: Sequence[int] | None = None,
    ):
        self._model, self._cache = model, DynamicCache(config=model.config)
        self._steering = None if steering is None else steering.on(model.device)
        self._moved = [] if moved is None else list(moved)
        plain = model.get_base_model() if hasattr(model, "get_base_model") else model  # PEFT's forward names nothing
        self._accepted = inspect.signature(plain.forward).parameters
        if shape is None:
            asked = list(zip(map(tuple, prompts), self._moved or [0] * len(prompts), strict=True))
            place = {one: row for row, one in enumerate(dict.fromkeys(asked))}
            rows, read = [place[one] for one in asked], [prompt for prompt, _ in place]
            self._moved, longest = [number for _, number in place], max(map(len, read))
        else:
            read = [*prompts, *[[pad]] * (shape[0] - len(prompts))]
            rows, longest = None, shape[1]
        padded = [[pad] * (longest - len(prompt)) + list(prompt) for prompt in read]
        mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in read]
        self._mask = torch.ones((1, len(shared)), dtype=torch.long, device=model.device)  # (texts, tokens so far)
        if shared:
            self._read(torch.tensor([list(shared)], device=model.device))
            self._cache.batch_select_indices(torch.zeros(len(read), dtype=torch.long, device=model.device))
        self._mask = torch.cat([self._mask.expand(len(read), -1), torch.tensor(mask, device=model.device)], dim=1)
        self.logits = self._read(torch.tensor(padded, device=model.device))
        if rows is not None:
            self._keep(rows)
            self.logits = self.logits[rows]

    def extend(self, tokens: torch.Tensor, rows: Sequence[int] | None = None) -> None:
        """Add a token to each text.

        Args:
            tokens: ids, int, shape (texts that are kept,).
            rows: the texts that are kept; None: all, in the shape that they have.
        """
        if rows is not None and len(rows) < len(self._mask):
            self._keep(rows)
        self._mask = torch.cat([self._mask, torch.ones_like(self._mask[:, :1])], dim=1)
        self.logits = self._read(tokens[:, None])

    def _keep(self, rows: Sequence[int]) -> None:
        chosen = torch.tensor(rows, device=self._mask.device)
        if self._cache.get_seq_length():
            self._cache.batch_select_indices(chosen)
        self._mask = self._mask[chosen]
        if self._steering is not None:
            self._moved = [self._moved[row] for row in rows]

    def _read(self, ids: torch.Tensor) -> torch.Tensor:
        """The next token's logits after ``ids`` are added, (texts, vocabulary). Padding has no place in the count."""
        places = (self._mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        options = {"position_ids": places, "logits_to_keep": 1}
        options = {name: value for name, value in options.items() if name in self._accepted}
        given = {"attention_mask": self._mask, "past_key_values": self._cache, "use_cache": True}
        moving = self._steering.moving(self._model, self._moved) if self._steering is not None else nullcontext()
        with moving:
            return self._model(input_ids=ids, **given, **options).logits[:, -1]
