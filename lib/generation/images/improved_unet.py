"""The network of improved diffusion (Nichol & Dhariwal 2021, arXiv:2102.09672), built from the tensors of a checkpoint.

Layers and their names are those of openai/improved-diffusion (MIT licence), so that its checkpoints load. How many
layers there are, and how wide, follows from names and shapes of the tensors; the number of heads is declared.
"""

import math
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.functional import interpolate

from lib.common.errors import DoppelError

GROUPS = 32  # of a normalisation
LONGEST = 10_000  # period of the embedding of a step
Tensors = Mapping[str, torch.Tensor]


class Network(nn.Module):
    """Predicts the noise in noisy pictures.

    Args:
        weights: of a checkpoint, by name.
        heads: of its attention layers, at least 1.

    Attributes:
        classes: how many the network was told of; 0 where it knows none.

    Raises:
        DoppelError: the tensors are not those of such a network.
    """

    def __init__(self, weights: Tensors, heads: int = 4):
        super().__init__()
        try:
            self.width = weights["input_blocks.0.0.weight"].shape[0]
            self.classes = weights["label_emb.weight"].shape[0] if "label_emb.weight" in weights else 0
            inner = 4 * self.width
            self.time_embed = nn.Sequential(nn.Linear(self.width, inner), nn.SiLU(), nn.Linear(inner, inner))
            if self.classes:
                self.label_emb = nn.Embedding(self.classes, inner)
            self.input_blocks, self.output_blocks = (
                nn.ModuleList(_Block(weights, f"{name}.{number}", heads) for number in range(_count(weights, name)))
                for name in ("input_blocks", "output_blocks")
            )
            self.middle_block = _Block(weights, "middle_block", heads)
            shape = weights["out.2.weight"].shape
            self.out = nn.Sequential(_norm(shape[1]), nn.SiLU(), nn.Conv2d(shape[1], shape[0], 3, padding=1))
            self.load_state_dict(dict(weights))
        except (KeyError, IndexError, RuntimeError, ValueError, ZeroDivisionError):
            raise DoppelError(
                "generation.checkpoint_unknown",
                "the tensors of the checkpoint are not those of an improved-diffusion network",
                name="model",
                remedy="name a checkpoint of openai/improved-diffusion, as imagenet64_cond_270M_250K.pt",
            ) from None

    def forward(self, noisy: torch.Tensor, steps: torch.Tensor, kinds: torch.Tensor | None) -> torch.Tensor:
        """The noise in pictures.

        Args:
            noisy: shape (n, 3, side, side).
            steps: the step of each in the whole schedule, (n,).
            kinds: the class of each, (n,); None for a network without classes.

        Returns:
            Shape (n, 3, side, side); of a network that predicts variances too, they are left out.
        """
        told = self.time_embed(embedding(steps, self.width))
        if self.classes:
            told = told + self.label_emb(kinds)
        flowing, kept = noisy, []
        for block in self.input_blocks:
            flowing = block(flowing, told)
            kept.append(flowing)
        flowing = self.middle_block(flowing, told)
        for block in self.output_blocks:
            flowing = block(torch.cat([flowing, kept.pop()], dim=1), told)
        return self.out(flowing)[:, :3]


def embedding(steps: torch.Tensor, width: int) -> torch.Tensor:
    """Cosines and sines of ``steps``, shape (n, width), as the network is told them."""
    half = width // 2
    rates = torch.exp(-math.log(LONGEST) * torch.arange(half, device=steps.device, dtype=torch.float32) / half)
    angles = steps[:, None].float() * rates[None]
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


class _Block(nn.ModuleList):
    """Layers in turn, of which residual ones are told step and class."""

    def __init__(self, weights: Tensors, name: str, heads: int):
        super().__init__(_layer(weights, f"{name}.{number}", heads) for number in range(_count(weights, name)))

    def forward(self, flowing: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        for layer in self:
            flowing = layer(flowing, told) if isinstance(layer, _Residual) else layer(flowing)
        return flowing


class _Residual(nn.Module):
    def __init__(self, weights: Tensors, name: str):
        super().__init__()
        made, given = weights[f"{name}.in_layers.2.weight"].shape[:2]
        told, inner = weights[f"{name}.emb_layers.1.weight"].shape
        self.scaled = told == 2 * made
        self.in_layers = nn.Sequential(_norm(given), nn.SiLU(), nn.Conv2d(given, made, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(inner, told))
        after = (nn.SiLU(), nn.Identity(), nn.Conv2d(made, made, 3, padding=1))  # dropout was for training
        self.out_layers = nn.Sequential(_norm(made), *after)
        skip = weights.get(f"{name}.skip_connection.weight")
        size = 1 if skip is None else skip.shape[-1]
        self.skip_connection = nn.Identity() if skip is None else nn.Conv2d(given, made, size, padding=size // 2)

    def forward(self, given: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        made, told = self.in_layers(given), self.emb_layers(told)[..., None, None]
        if self.scaled:
            scale, shift = told.chunk(2, dim=1)
            made = self.out_layers[1:](self.out_layers[0](made) * (1 + scale) + shift)
        else:
            made = self.out_layers(made + told)
        return self.skip_connection(given) + made


class _Attention(nn.Module):
    def __init__(self, weights: Tensors, name: str, heads: int):
        super().__init__()
        width = weights[f"{name}.qkv.weight"].shape[1]
        self.heads, self.norm = heads, _norm(width)
        self.qkv, self.proj_out = nn.Conv1d(width, 3 * width, 1), nn.Conv1d(width, width, 1)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        flat = given.flatten(2)
        queries, keys, values = self.qkv(self.norm(flat)).reshape(len(flat) * self.heads, -1, flat.shape[2]).chunk(3, 1)
        weights = torch.softmax(queries.transpose(1, 2) @ keys / math.sqrt(queries.shape[1]), dim=-1)
        seen = (values @ weights.transpose(1, 2)).reshape(flat.shape)
        return (flat + self.proj_out(seen)).reshape(given.shape)


class _Smaller(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return self.op(given)


class _Larger(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return self.conv(interpolate(given, scale_factor=2, mode="nearest"))


def _layer(weights: Tensors, name: str, heads: int) -> nn.Module:
    """The layer whose tensors have this name in front."""
    if f"{name}.in_layers.2.weight" in weights:
        return _Residual(weights, name)
    if f"{name}.qkv.weight" in weights:
        return _Attention(weights, name, heads)
    if f"{name}.op.weight" in weights:
        return _Smaller(weights[f"{name}.op.weight"].shape[0])
    if f"{name}.conv.weight" in weights:
        return _Larger(weights[f"{name}.conv.weight"].shape[0])
    made, given = weights[f"{name}.weight"].shape[:2]
    return nn.Conv2d(given, made, 3, padding=1)


def _count(weights: Tensors, name: str) -> int:
    """How many parts a part of the network has."""
    depth = name.count(".") + 1
    return len({key.split(".")[depth] for key in weights if key.startswith(f"{name}.")})


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(GROUPS, width)
