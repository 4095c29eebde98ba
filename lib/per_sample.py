"""Per-example gradients of the trainable linear layers of a model, and a loss that sees completions alone.

Opacus computes per-example gradients with hooks, beside the summed gradient that autograd computes
anyway. LoRA's matrices are all plain linear layers, so one autograd function can hand out the
per-example gradient in the summed one's place: same numbers, one product fewer a layer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from lib.errors import DoppelError

HEAD_CHUNK = 512  # completion tokens whose logits are held at once: 512 x 50k vocabulary x 4 bytes = 100 MB


@dataclass(frozen=True)
class Example:
    """One record as token ids. ``completion`` ends with EOS unless it was cut; ``unit`` is its owner's number."""

    prompt: Sequence[int]
    completion: Sequence[int]
    unit: int

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


class _PerSampleLinear(torch.autograd.Function):
    """y = x W^T + b for x of shape (batch, tokens, in); its backward writes ``grad_sample`` (batch, out, in)."""

    @staticmethod
    def forward(ctx, x: torch.Tensor, weight: nn.Parameter, bias: nn.Parameter | None) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.weight, ctx.bias = weight, bias
        return F.linear(x, weight, bias)

    @staticmethod
    def backward(ctx, grad: torch.Tensor) -> tuple[torch.Tensor | None, None, None]:
        (x,) = ctx.saved_tensors
        _accumulate(ctx.weight, torch.bmm(grad.transpose(1, 2), x))
        if ctx.bias is not None:
            _accumulate(ctx.bias, grad.sum(1))
        return (grad @ ctx.weight if ctx.needs_input_grad[0] else None), None, None


def _accumulate(parameter: nn.Parameter, grad_sample: torch.Tensor) -> None:
    """A layer that is used twice in one forward pass adds up."""
    known = getattr(parameter, "grad_sample", None)
    parameter.grad_sample = grad_sample if known is None else known + grad_sample


def _forward(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    if not (torch.is_grad_enabled() and layer.weight.requires_grad):
        return F.linear(x, layer.weight, layer.bias)
    if x.dim() != 3:
        raise DoppelError(
            f"a trainable layer got an input of {x.dim()} dimensions, per-example gradients need (batch, tokens, "
            "features); choose other lora target_modules (routed experts mix the examples of a batch)"
        )
    return _PerSampleLinear.apply(x.contiguous(), layer.weight, layer.bias)


def attach(model: nn.Module) -> None:
    """Make every trainable linear layer write per-example gradients to ``parameter.grad_sample``.

    Raises DoppelError when a trainable parameter belongs to another kind of layer: its gradient would
    escape the clipping.
    """
    covered: set[int] = set()
    for layer in model.modules():
        if isinstance(layer, nn.Linear) and layer.weight.requires_grad:
            layer.forward = lambda x, layer=layer: _forward(layer, x)
            covered |= {id(p) for p in layer.parameters(recurse=False)}
    missed = [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in covered]
    if missed:
        raise DoppelError(
            f"{len(missed)} trainable parameters are not of linear layers, {missed[0]} the first: they cannot be "
            "clipped per example; use linear lora target_modules, with neither use_dora nor trainable embeddings"
        )


def detach(model: nn.Module) -> None:
    """Undo `attach`: ordinary summed gradients again."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.__dict__.pop("forward", None)


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
