"""Frozen weights in four bits: NF4 with doubly quantized scales (QLoRA, Dettmers et al. 2023, arXiv:2305.14314).

bitsandbytes makes a matrix whole again, in the compute type, while it multiplies with it; adapters stay as they are.
Embeddings, output head and norms are not quantized. Nothing private enters: the frozen weights are public. On some CPUs
bitsandbytes 0.50 packs a layer's weights once it was evaluated, and has no gradient from then on: it is refused there.
"""

import torch
from torch import nn
from transformers import BitsAndBytesConfig

from lib.models.pretrained import check_four_bits


def options(device: torch.device) -> dict[str, object]:
    """Arguments of ``from_pretrained`` that load a model's linear layers in four bits, to compute in bfloat16.

    Args:
        device: where the model runs.

    Raises:
        DoppelError: ``device`` is no graphics card, or bitsandbytes is missing.
    """
    check_four_bits(device.type)
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"quantization_config": config, "dtype": torch.bfloat16, "device_map": {"": device}}


def compute_in_float32(model: nn.Module) -> None:
    """Make a ``model`` compute in float32, in place: all weights become float32, but those that are in four bits."""
    nn.Module.float(model)  # leaves integers alone, as four bits are kept; transformers' own refuses
    for layer in model.modules():
        if isinstance(layer, nn.Linear) and hasattr(layer, "compute_dtype"):
            layer.compute_dtype = torch.float32
