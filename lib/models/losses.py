"""Losses of completions: a token, an example, a held-out set."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lib.models.examples import Batch, Example, by_length


@torch.no_grad()
def held_out_losses(model: nn.Module, examples: Sequence[Example], *, tokens_per_batch: int = 512) -> np.ndarray:
    """Summed loss in nats and number of completion tokens of each example, shape (examples, 2). *Evaluation only.*"""
    device = next(model.parameters()).device
    split_head = head_splits(model, Batch.of(examples[:1], 0, device))
    training = model.training
    model.eval()
    result = np.zeros((len(examples), 2))
    for part in by_length([1] * len(examples), [len(e) for e in examples], tokens_per_batch):
        batch = Batch.of([examples[i] for i in part], 0, device)
        losses = token_losses(model, batch, split_head=split_head).double().cpu()
        sums = torch.zeros(len(part), dtype=torch.float64).index_add_(0, batch.rows.cpu(), losses)
        result[part] = torch.stack([sums, batch.lengths.cpu().double()], dim=1).numpy()
    model.train(training)
    return result


HEAD_CHUNK = 512  # completion tokens whose logits are held at once: 512 x 50k vocabulary x 4 bytes = 100 MB


class _HeadLoss(torch.autograd.Function):
    """Cross entropy of a frozen output head, chunk by chunk, so that no logits outlive their chunk.

    The gradient of the hidden states is known as soon as the chunk's softmax is: it is computed in the
    forward pass for unit weights and scaled in the backward pass.
    """

    @staticmethod
    def forward(ctx, hidden: torch.Tensor, head: nn.Linear, targets: torch.Tensor) -> torch.Tensor:
        losses = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        grad = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for part in torch.arange(len(targets), device=hidden.device).split(HEAD_CHUNK):
            log_shares = F.linear(hidden[part], head.weight, head.bias).float().log_softmax(-1)
            chosen = torch.arange(len(part), device=hidden.device), targets[part]
            losses[part] = -log_shares[chosen]
            if grad is not None:
                slope = log_shares.exp_()
                slope[chosen] -= 1
                grad[part] = slope.to(hidden.dtype) @ head.weight
        ctx.save_for_backward(grad)
        return losses

    @staticmethod
    def backward(ctx, weights: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (grad,) = ctx.saved_tensors
        return grad * weights.unsqueeze(1).to(grad.dtype), None, None


def token_losses(model: nn.Module, batch: Batch, *, split_head: bool) -> torch.Tensor:
    """Cross entropy in nats of each completion token, shape (completion tokens,), in the order of ``batch.rows``.

    With ``split_head`` (see `head_splits`) the output head sees the completion's positions only.
    """
    if split_head:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        hidden = base.get_decoder()(input_ids=batch.input_ids, use_cache=False).last_hidden_state
        return _HeadLoss.apply(hidden[batch.rows, batch.columns], base.get_output_embeddings(), batch.targets)
    logits = model(input_ids=batch.input_ids, use_cache=False).logits
    return F.cross_entropy(logits[batch.rows, batch.columns].float(), batch.targets, reduction="none")


def example_losses(model: nn.Module, batch: Batch, *, split_head: bool) -> torch.Tensor:
    """Mean loss of each example's completion in nats a token, shape (examples,)."""
    losses = token_losses(model, batch, split_head=split_head)
    return torch.zeros(len(batch.lengths), device=losses.device).index_add(0, batch.rows, losses) / batch.lengths


@torch.no_grad()
def head_splits(model: nn.Module, batch: Batch) -> bool:
    """Whether decoder, then output head is all the model does (no scaling or capping of logits, no trainable head)."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    head = base.get_output_embeddings()
    if type(head) is not nn.Linear or head.weight.requires_grad or not hasattr(base, "get_decoder"):
        return False
    training = model.training
    model.eval()  # dropout would make the two differ
    whole = model(input_ids=batch.input_ids[:1], use_cache=False).logits
    split = head(base.get_decoder()(input_ids=batch.input_ids[:1], use_cache=False).last_hidden_state)
    model.train(training)
    slack = 1e-4 if whole.dtype == torch.float32 else 0.03
    return torch.allclose(whole.float(), split.float(), rtol=slack, atol=slack)
