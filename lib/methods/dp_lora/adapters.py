"""The adapters that DP-LoRA trains, on a frozen model."""

from collections.abc import Mapping
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import PreTrainedModel

from lib.models.split_weights import is_split

PARAMETERS = ("lora", "frozen_a", "gradient_checkpointing", "seed")  # of 10_finetune_dp_lora, which `add` takes


def add(
    base: PreTrainedModel, lora: Mapping[str, object], *, frozen_a: bool, gradient_checkpointing: bool, seed: int
) -> PeftModel:
    """Put new adapters on a model (LoRA, Hu et al. 2022, arXiv:2106.09685): each layer W becomes W + s B A.

    A starts at random and B at zero, so the model writes as before.

    Args:
        base: the model; its weights are frozen.
        lora: settings of PEFT's ``LoraConfig``.
        frozen_a: A stays as it is drawn, and B alone learns (FFA-LoRA, Sun et al. 2024, arXiv:2403.12313). Half as many
            weights get noise or fewer, and the noise of B is not multiplied by noise in A.
        gradient_checkpointing: compute activations again in the backward pass: less memory, a third more time.
        seed: of A; no generator is left changed.

    Returns:
        The model with its adapters.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = get_peft_model(base, LoraConfig(**{"task_type": "CAUSAL_LM", **lora}))
    if frozen_a:
        for name, parameter in model.named_parameters():
            if ".lora_A." in name:
                parameter.requires_grad = False
    if gradient_checkpointing:
        base.activation_checkpointing_enable()
        base.enable_input_require_grads()
    return model


def save(model: PeftModel, folder: Path) -> None:
    """Save the adapters as PEFT does, also of a model whose frozen weights are split: PEFT would gather these first.

    Args:
        model: with its adapters.
        folder: to write them into.
    """
    model.save_pretrained(folder, state_dict=_weights(model) if is_split(model) else None)


def read_back(model: PeftModel, folder: Path) -> None:
    """Give a model the adapters that `save` wrote, in place of its own, without looking at its frozen weights.

    Args:
        model: with adapters of the same shapes.
        folder: where they are.
    """
    saved = load_file(folder / "adapter_model.safetensors")
    with torch.no_grad():
        for name, weight in _weights(model).items():
            weight.copy_(saved[name.replace(".default", "")])


def _weights(model: PeftModel) -> dict[str, torch.nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if ".lora_" in name}
