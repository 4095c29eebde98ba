"""The tensors of an improved-diffusion network of random weights, by the rules of openai/improved-diffusion.

Held once against its code (commit of 2021): the names and shapes of the published network are the same, and for three
small ones the outputs agree to 1e-5, as do pictures and variations with DPSDA's sampler at 10, 40 and 100 steps.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from lib.common.files import sha256


def tensors(
    width: int = 32,
    mults: Sequence[int] = (1, 2),
    blocks: int = 1,
    attention: Sequence[int] = (2,),
    classes: int = 5,
    *,
    device: str = "cpu",
) -> dict[str, torch.Tensor]:
    """A state dict.

    Args:
        width: channels of the first level, a multiple of 32.
        mults: channels of each level over that.
        blocks: residual ones of each level.
        attention: by how much a picture is made smaller where there is attention.
        classes: that the network knows; 0 for none.
        device: ``meta`` for shapes alone.
    """
    made: dict[str, torch.Tensor] = {}
    inner = 4 * width

    def add(name: str, *shape: int, biased: bool = True) -> None:
        made[f"{name}.weight"] = torch.randn(shape, device=device) * (0.3 / max(shape[-1], 8) ** 0.5)
        if biased:
            made[f"{name}.bias"] = torch.zeros(shape[0], device=device)

    def norm(name: str, channels: int) -> None:
        made[f"{name}.weight"], made[f"{name}.bias"] = (f(channels, device=device) for f in (torch.ones, torch.zeros))

    def residual(name: str, given: int, out: int) -> None:
        norm(f"{name}.in_layers.0", given)
        add(f"{name}.in_layers.2", out, given, 3, 3)
        add(f"{name}.emb_layers.1", 2 * out, inner)
        norm(f"{name}.out_layers.0", out)
        add(f"{name}.out_layers.3", out, out, 3, 3)
        if given != out:
            add(f"{name}.skip_connection", out, given, 1, 1)

    def attend(name: str, channels: int) -> None:
        norm(f"{name}.norm", channels)
        add(f"{name}.qkv", 3 * channels, channels, 1)
        add(f"{name}.proj_out", channels, channels, 1)

    add("time_embed.0", inner, width)
    add("time_embed.2", inner, inner)
    if classes:
        add("label_emb", classes, inner, biased=False)
    add("input_blocks.0.0", width, 3, 3, 3)
    kept, channels, smaller, number = [width], width, 1, 0
    for level, mult in enumerate(mults):
        for _ in range(blocks):
            number += 1
            residual(f"input_blocks.{number}.0", channels, mult * width)
            channels = mult * width
            if smaller in attention:
                attend(f"input_blocks.{number}.1", channels)
            kept.append(channels)
        if level < len(mults) - 1:
            number += 1
            add(f"input_blocks.{number}.0.op", channels, channels, 3, 3)
            kept.append(channels)
            smaller *= 2
    residual("middle_block.0", channels, channels)
    attend("middle_block.1", channels)
    residual("middle_block.2", channels, channels)
    number = 0
    for level, mult in reversed(list(enumerate(mults))):
        for place in range(blocks + 1):
            residual(f"output_blocks.{number}.0", channels + kept.pop(), mult * width)
            channels, layer = mult * width, 1
            if smaller in attention:
                attend(f"output_blocks.{number}.1", channels)
                layer = 2
            if level and place == blocks:
                add(f"output_blocks.{number}.{layer}.conv", channels, channels, 3, 3)
                smaller //= 2
            number += 1
    norm("out.0", channels)
    add("out.2", 6, width, 3, 3)
    return made


def build(folder: Path, name: str = "tiny.pt", **given: object) -> tuple[Path, str]:
    """Write a checkpoint; its path and its sha256."""
    torch.manual_seed(0)
    file, weights = folder / name, tensors(**given)
    if name.endswith(".safetensors"):
        from safetensors.torch import save_file

        save_file(weights, file)
    else:
        torch.save(weights, file)
    return file, sha256(file)
