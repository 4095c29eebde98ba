"""Losses of completions: per token, per example, and of a held-out set."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lib.models.architecture import HEAD_CHUNK
from lib.models.examples import Batch, Example, by_length


def drawn(held_out: Sequence[Example], most: int) -> list[Example]:
    """The part of the held-out examples whose loss is told.

    Args:
        held_out: examples, in the order of the corpus' held-out records.
        most: how many to draw, at most; at least 1.

    Returns:
        All of them where there are no more; else ``most``, in order. The same places wherever this is called, so that
        losses of arms with one corpus are those of the same records.
    """
    chosen = np.random.default_rng(0).permutation(len(held_out))[:most]
    return [held_out[i] for i in sorted(chosen.tolist())]


@torch.no_grad()
def held_out_losses(
    model: nn.Module,
    examples: Sequence[Example],
    *,
    tokens_per_batch: int = 512,
    around: Callable[[Sequence[int], Batch], AbstractContextManager] = lambda group, batch: nullcontext(),
    progress: Callable[[int], object] = lambda done: None,
) -> np.ndarray:
    """Losses of completions in eval mode. *Evaluation only* where the examples are private.

    Args:
        model: a causal language model; its mode is restored afterwards.
        examples: at least one.
        tokens_per_batch: the most tokens of a batch, padding counted; a longer example is a batch by itself.
        around: called with the indices of a batch's examples and the batch; what it returns is entered while the model
            reads them.
        progress: called with the number of examples newly done.

    Returns:
        For each example the sum of its completion's losses in nats, and the number of its completion tokens; float64,
        shape (examples, 2).
    """
    device = next(model.parameters()).device
    split_head = head_splits(model, Batch.of(examples[:1], 0, device))
    was_training = model.training
    model.eval()
    result = np.zeros((len(examples), 2))
    for group in by_length([1] * len(examples), [len(example) for example in examples], tokens_per_batch):
        batch = Batch.of([examples[i] for i in group], 0, device)
        with around(group, batch):
            losses = token_losses(model, batch, split_head=split_head).double().cpu()
        sums = torch.zeros(len(group), dtype=torch.float64).index_add_(0, batch.rows.cpu(), losses)
        result[group] = torch.stack([sums, batch.lengths.cpu().double()], dim=1).numpy()
        progress(len(group))
    model.train(was_training)
    return result


def head_chunk(places: int) -> int:
    """How many of so many places, at least one, the output head takes at once: at most `HEAD_CHUNK`, evenly split."""
    return math.ceil(places / math.ceil(places / HEAD_CHUNK))


class _HeadLoss(torch.autograd.Function):
    """Cross entropy of a frozen output head, chunk by chunk, so that no more than a chunk's logits are in memory.

    The gradient with respect to the hidden states follows from a chunk's softmax, so the forward pass computes it for
    unit weights, and the backward pass only scales it.
    """

    @staticmethod
    def forward(ctx, hidden: torch.Tensor, head: nn.Linear, targets: torch.Tensor) -> torch.Tensor:
        losses = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        grad = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for chunk in torch.arange(len(targets), device=hidden.device).split(head_chunk(len(targets))):
            log_probabilities = F.linear(hidden[chunk], head.weight, head.bias).float().log_softmax(-1)
            of_targets = torch.arange(len(chunk), device=hidden.device), targets[chunk]
            losses[chunk] = -log_probabilities[of_targets]
            if grad is not None:
                logits_grad = log_probabilities.exp_()  # softmax less the one-hot target
                logits_grad[of_targets] -= 1
                grad[chunk] = logits_grad.to(hidden.dtype) @ head.weight
        ctx.save_for_backward(grad)
        return losses

    @staticmethod
    def backward(ctx, weights: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (grad,) = ctx.saved_tensors
        return grad * weights.unsqueeze(1).to(grad.dtype), None, None


def token_losses(model: nn.Module, batch: Batch, *, split_head: bool) -> torch.Tensor:
    """Cross entropy of each completion token.

    Args:
        model: a causal language model, with or without a PEFT adapter.
        batch: the examples.
        split_head: run the output head at the completion's positions only, to save memory; what `head_splits` says.

    Returns:
        Losses in nats, in the order of ``batch.rows``, float32, shape (completion tokens,).
    """
    if split_head:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        hidden = base.get_decoder()(input_ids=batch.input_ids, use_cache=False).last_hidden_state
        return _HeadLoss.apply(hidden[batch.rows, batch.columns], base.get_output_embeddings(), batch.targets)
    logits = model(input_ids=batch.input_ids, use_cache=False).logits
    return F.cross_entropy(logits[batch.rows, batch.columns].float(), batch.targets, reduction="none")


def example_losses(model: nn.Module, batch: Batch, *, split_head: bool) -> torch.Tensor:
    """Mean loss of each example's completion.

    Args:
        model: as `token_losses` takes it.
        batch: the examples.
        split_head: as `token_losses` takes it.

    Returns:
        Losses in nats per completion token, float32, shape (examples,).
    """
    losses = token_losses(model, batch, split_head=split_head)
    return torch.zeros(len(batch.lengths), device=losses.device).index_add(0, batch.rows, losses) / batch.lengths


@torch.no_grad()
def head_splits(model: nn.Module, batch: Batch) -> bool:
    """Whether the model is its decoder followed by a frozen linear output head, and does nothing else.

    A model that scales or caps its logits, or whose head is trained, is not; its head cannot be run by itself.

    Args:
        model: a causal language model, with or without a PEFT adapter; its mode is restored afterwards.
        batch: any examples; the logits of the first are compared.

    Returns:
        Whether `token_losses` may be called with ``split_head=True``.
    """
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    head = base.get_output_embeddings()
    linear = isinstance(head, nn.Linear) and type(head).forward is nn.Linear.forward  # not so with an adapter
    if not linear or head.weight.requires_grad or not hasattr(base, "get_decoder"):
        return False
    was_training = model.training
    model.eval()  # dropout would make the two differ
    whole = model(input_ids=batch.input_ids[:1], use_cache=False).logits
    split = head(base.get_decoder()(input_ids=batch.input_ids[:1], use_cache=False).last_hidden_state)
    model.train(was_training)
    tolerance = 1e-4 if whole.dtype == torch.float32 else 0.03
    return torch.allclose(whole.float(), split.float(), rtol=tolerance, atol=tolerance)
