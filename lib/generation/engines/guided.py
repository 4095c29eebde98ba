"""Guided decoding: what a prompt says, less what the same prompt says without its label (Sanchez et al., ICML 2024)."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from lib.generation.engines.base import Sampling
from lib.generation.engines.contexts import Contexts
from lib.models.draws import invert
from lib.models.hidden_states import Directions

_LIKELIEST = 1024  # tokens that are sorted at first: sorting a whole vocabulary takes as long as the model's own pass


@torch.inference_mode()
def complete_guided(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    without_label: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    positions: Sequence[int],
    limits: Sequence[int],
    stops: Collection[int],
    pad: int,
    processor: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    steering: Directions | None = None,
    moved: Sequence[int] | None = None,
) -> list[list[int]]:
    """Complete one batch of prompts, each with the logits (1 + g) * with its label - g * without; with g = 0 by itself.

    Both contexts of a text are rows of one batch and get the same tokens, so the model has one pass a token. A prompt
    that many texts share is computed once, and a text that has ended leaves the batch.

    Args:
        model: a causal language model in eval mode.
        prompts: token ids of each prompt, at least one.
        without_label: token ids of the same prompts without their labels; none with g = 0.
        sampling: how tokens are drawn; g is its ``guidance``.
        positions: numbers of the prompts, which seed their draws: a text does not depend on its batch, up to rounding.
        limits: longest completion of each prompt in tokens.
        stops: ids of the tokens that end a completion.
        pad: id of the padding token.
        processor: called with the ids that were drawn so far, (texts, tokens), and the mixed logits, (texts,
            vocabulary); returns the logits to draw from.
        steering: what moves the hidden states while the model writes; behind the prompts without their labels, its last
            direction does, which is that of no label in particular.
        moved: the direction of each prompt; needed with ``steering``.

    Returns:
        New token ids of each prompt, with the token that ended them.
    """
    uniforms = np.array(
        [np.random.default_rng(sampling.seed_for(position)).random(max(limits)) for position in positions]
    )
    least = max(sampling.min_new_tokens, sampling.one_line)
    if steering is not None:
        moved = [*moved, *[len(steering.vectors) - 1] * len(without_label)]
    contexts = Contexts(model, [*prompts, *without_label], pad, steering=steering, moved=moved)
    drawn: list[list[int]] = [[] for _ in prompts]
    running = list(range(len(prompts)))
    for step in range(max(limits)):
        scores = contexts.logits.float()  # (texts, vocabulary), with guidance twice as many rows
        if without_label:
            with_label, without = scores.chunk(2)
            scores = (1 + sampling.guidance) * with_label - sampling.guidance * without
        so_far = torch.tensor([drawn[text] for text in running], dtype=torch.long, device=scores.device)
        scores = processor(so_far, scores)
        if step < least:
            scores[:, list(stops)] = -torch.inf
        tokens = _choose(scores, sampling, torch.as_tensor(uniforms[running, step], device=scores.device))
        for text, token in zip(running, tokens.tolist(), strict=True):
            drawn[text].append(token)
        rows = [i for i, text in enumerate(running) if drawn[text][-1] not in stops and step + 1 < limits[text]]
        if not rows:
            break
        again = [len(running) + row for row in rows] if without_label else []
        contexts.extend(tokens[rows].repeat(2 if again else 1), [*rows, *again])
        running = [running[row] for row in rows]
    return drawn


def _choose(scores: torch.Tensor, sampling: Sampling, uniforms: torch.Tensor) -> torch.Tensor:
    """Draw a token a row: temperature, then top_k, then top_p, then the inverse of the distribution function.

    Args:
        scores: logits, (rows, vocabulary).
        sampling: how tokens are drawn.
        uniforms: a number in [0, 1) for each row, which decides its draw.

    Returns:
        The tokens' ids, (rows,).
    """
    if sampling.temperature == 0:
        return scores.argmax(-1)
    likely = (scores.double() / sampling.temperature).softmax(-1)
    most = min(sampling.top_k or likely.shape[-1], likely.shape[-1])
    if sampling.top_p == 1 and most == likely.shape[-1]:
        return invert(likely, uniforms)
    width = most if sampling.top_k or sampling.top_p == 1 else min(most, _LIKELIEST)
    likeliest, tokens = likely.topk(width)
    while width < most and likeliest.sum(-1).min() < sampling.top_p:  # the nucleus of some row is wider
        width = min(most, 8 * width)
        likeliest, tokens = likely.topk(width)
    total = likeliest.sum(-1, keepdim=True) if width == most else 1.0
    before = likeliest.cumsum(-1) - likeliest
    nucleus = likeliest.where(before < sampling.top_p * total, 0)
    return tokens.gather(-1, invert(nucleus, uniforms)[:, None])[:, 0]
