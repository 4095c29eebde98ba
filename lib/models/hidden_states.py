"""The hidden states behind the layers of a decoder: read from texts, or moved while a model reads or writes."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn

from lib.common.errors import DoppelError


def layers_of(model: nn.Module) -> nn.ModuleList:
    """The layers of a language model's decoder, the first one first.

    Args:
        model: a causal language model of transformers.

    Raises:
        DoppelError: it has no decoder with one list of layers.
    """
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else nn.Module()
    lists = [child for child in decoder.children() if isinstance(child, nn.ModuleList)]
    if len(lists) != 1:
        raise DoppelError(
            "models.no_layers",
            f"{type(model).__name__} has no decoder with one list of layers, so its hidden states cannot be moved",
            name="model",
            remedy="take a model of another architecture",
        )
    return lists[0]


def chosen_layers(model: nn.Module, layers: Sequence[int] | None) -> list[int]:
    """Numbers of layers, checked.

    Args:
        model: as `layers_of` takes it.
        layers: counted from 0; None: the one behind the middle.

    Returns:
        The numbers, ascending.

    Raises:
        DoppelError: the model has no such layer, or none or one twice is named.
    """
    count = len(layers_of(model))
    if layers is None:
        return [min(count // 2 + 1, count - 1)]
    if not layers or len(set(layers)) < len(layers) or not all(0 <= layer < count for layer in layers):
        raise DoppelError(
            "models.layers_out_of_range",
            f"layers = {list(layers)}: must be different numbers from 0 to {count - 1}, at least one",
            name="layers",
            value=list(layers),
            remedy="name others, or set layers: null for the one behind the middle",
        )
    return sorted(layers)


@torch.no_grad()
def means(model: nn.Module, ids: torch.Tensor, weights: torch.Tensor, layers: Sequence[int]) -> torch.Tensor:
    """Weighted sums of hidden states over positions. Layers behind the last one asked for are not run.

    Args:
        model: as `layers_of` takes it, in eval mode.
        ids: token ids, int64, shape (rows, positions); without an attention mask, so padding must be on the right.
        weights: of each position, float32, shape (rows, positions).
        layers: numbers of layers, at least one.

    Returns:
        The sums of what leaves each layer, float32, shape (rows, layers, width).
    """
    seen: dict[int, torch.Tensor] = {}

    def keep(layer: int) -> object:
        return lambda module, given, out: seen.__setitem__(layer, out[0] if isinstance(out, tuple) else out)

    whole, decoder = layers_of(model), model.get_decoder()
    name = next(name for name, child in decoder.named_children() if child is whole)
    with ExitStack() as stack:
        for layer in layers:
            stack.callback(whole[layer].register_forward_hook(keep(layer)).remove)
        setattr(decoder, name, whole[: max(layers) + 1])
        stack.callback(setattr, decoder, name, whole)
        decoder(input_ids=ids, use_cache=False)
    return torch.stack([(seen[layer].float() * weights[:, :, None]).sum(1) for layer in layers], dim=1)


@dataclass(frozen=True)
class Directions:
    """What is added to hidden states.

    Args:
        layers: numbers of the layers behind which it is added; without any nothing is moved.
        vectors: float32, shape (directions, layers, width).
    """

    layers: Sequence[int]
    vectors: torch.Tensor

    def times(self, strength: float) -> "Directions":
        """The same directions, each ``strength`` times as long."""
        return replace(self, vectors=self.vectors * strength)

    def on(self, device: torch.device) -> "Directions":
        """The same directions on a ``device``, so that they are not sent there with each token."""
        return replace(self, vectors=self.vectors.to(device))

    @contextmanager
    def moving(self, model: nn.Module, numbers: Sequence[int], places: torch.Tensor | None = None) -> Iterator[None]:
        """Within it a model's hidden states are moved in every pass.

        Args:
            model: as `layers_of` takes it.
            numbers: of the direction of each row of a pass, from 0 on; a negative one counts from the end.
            places: where, bool, shape (rows, positions); None: at the last position of each row, as a model does that
                is about to write the next token.
        """
        chosen = self.vectors[list(numbers)].to(next(model.parameters()).device)
        with ExitStack() as stack:
            for column, layer in enumerate(self.layers):
                hook = _adding(chosen[:, column], places)
                stack.callback(layers_of(model)[layer].register_forward_hook(hook).remove)
            yield


def _adding(step: torch.Tensor, places: torch.Tensor | None) -> object:
    """A hook that adds ``step``, (rows, width), to what leaves a layer."""

    def hook(module: nn.Module, given: object, out: torch.Tensor | tuple) -> torch.Tensor | tuple:
        states = out[0] if isinstance(out, tuple) else out
        if places is None:
            moved = states.clone()
            moved[:, -1] += step.to(states.dtype)
        else:
            moved = states + places[:, :, None] * step[:, None].to(states.dtype)
        return (moved, *out[1:]) if isinstance(out, tuple) else moved

    return hook
