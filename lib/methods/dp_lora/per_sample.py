"""Per-example gradients of the trainable linear layers of a model, and a loss that sees completions alone.

Opacus computes per-example gradients with hooks, beside the summed gradient that autograd computes
anyway. LoRA's matrices are all plain linear layers, so one autograd function can hand out the
per-example gradient in the summed one's place: same numbers, one product fewer a layer.
"""

import torch
from torch import nn
from torch.nn import functional as F

from lib.common.errors import DoppelError


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
