"""Per-example gradients of a model's trainable linear layers, which DP-SGD clips one by one.

Opacus computes per-example gradients with hooks, beside the summed gradient that autograd computes anyway. LoRA's
matrices are all plain linear layers, so one autograd function can write the per-example gradient where the summed one
would be computed: the same numbers, with one matrix product fewer a layer.

What it guarantees: row i of ``grad_sample`` is the gradient of example i alone, provided that example i is row i of
every trainable layer's input, and that no other example of the batch enters its loss. Nothing is clipped or noised
here; unit, neighbours, sampler and sensitivity are those of `lib.methods.dp_lora.trainer`.
"""

import torch
from torch import nn
from torch.nn import functional as F

from lib.common.errors import DoppelError


class _PerSampleLinear(torch.autograd.Function):
    """y = x W^T + b for x of shape (examples, tokens, in).

    The backward pass writes ``grad_sample``, (examples, out, in) for W and (examples, out) for b, instead of ``grad``.
    """

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
    """Add to ``parameter.grad_sample``: a layer that is used twice in a forward pass gets both gradients."""
    before = getattr(parameter, "grad_sample", None)
    parameter.grad_sample = grad_sample if before is None else before + grad_sample


def _forward(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    if not (torch.is_grad_enabled() and layer.weight.requires_grad):
        return F.linear(x, layer.weight, layer.bias)
    if x.dim() != 3:
        raise DoppelError(
            "methods.examples_mixed",
            f"a trainable layer got an input of {x.dim()} dimensions, per-example gradients need 3: (examples, tokens, "
            "features)",
            name="target_modules",
            remedy="choose other lora target_modules (routed experts mix the examples of a batch)",
        )
    return _PerSampleLinear.apply(x.contiguous(), layer.weight, layer.bias)


def attach(model: nn.Module) -> None:
    """Make every trainable linear layer write per-example gradients to ``parameter.grad_sample`` in a backward pass.

    Args:
        model: a model whose trainable parameters all belong to linear layers; LoRA's do. Its trainable layers must get
            inputs of shape (examples, tokens, features).

    Raises:
        DoppelError: a trainable parameter belongs to no linear layer with a trainable weight, so its gradient would
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
            "methods.not_clippable",
            f"{len(missed)} trainable parameters do not belong to linear layers and cannot be clipped per example; the "
            f"first is {missed[0]}",
            name=missed[0],
            value=len(missed),
            remedy="use linear lora target_modules, with neither use_dora nor trainable embeddings",
        )


def detach(model: nn.Module) -> None:
    """Undo `attach`: the layers of ``model`` compute ordinary summed gradients again."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.__dict__.pop("forward", None)
