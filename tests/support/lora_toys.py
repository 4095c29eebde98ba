"""A tiny Llama with adapters, and random examples, for tests of losses and of training."""

from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from lib.models import loading
from lib.models.examples import Example


def llama(seed: int = 0, **changes: object) -> LlamaForCausalLM:
    """Two layers of Llama with tied embeddings and a vocabulary of 50, but for what ``changes`` says."""
    torch.manual_seed(seed)
    sizes = {
        "vocab_size": 50, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True,
    }  # fmt: skip
    return LlamaForCausalLM(LlamaConfig(**sizes | changes))


def tiny(seed: int = 0, **lora: object) -> torch.nn.Module:
    """The same with adapters."""
    return adapted(llama(seed), **lora)


def adapted(base: torch.nn.Module, **lora: object) -> torch.nn.Module:
    """The model with adapters, none of whose weights are zero."""
    settings = {"r": 3, "lora_alpha": 6, "target_modules": ["q_proj", "v_proj", "down_proj"], **lora}
    model = get_peft_model(base, LoraConfig(**settings))
    with torch.no_grad():  # LoRA's B starts at zero, which would hide half of the gradients
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.normal_(0, 0.2, generator=torch.Generator().manual_seed(parameter.numel()))
    return model


def examples(count: int = 12, units: int | None = None, seed: int = 0) -> list[Example]:
    """Random tokens: prompts of 3, completions of 2 to 8; the examples belong to the units in turn."""
    draw = np.random.default_rng(seed)
    return [
        Example(
            draw.integers(1, 50, 3).tolist(), draw.integers(1, 50, draw.integers(2, 9)).tolist(), i % (units or count)
        )
        for i in range(count)
    ]


def saved_adapter(model: str, folder: Path) -> Path:
    """A LoRA adapter as 10_finetune_dp_lora saves one, which changes what the model writes; the folder."""
    torch.manual_seed(1)
    base = loading.load(model, dtype="float32", device="cpu")
    lora = get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"]))
    with torch.no_grad():
        for name, weight in lora.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.5)
    lora.save_pretrained(folder)
    return folder
