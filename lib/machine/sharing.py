"""Checks of what large models need: two processes that share a step, and frozen weights in four bits."""

import tempfile
from contextlib import suppress
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lib.common.errors import DoppelError
from lib.machine.check import Differs, Figures, refusal
from lib.machine.training import EXPECTED_BATCH, MODEL, made_up, mean_loss
from lib.methods.dp_lora import launch
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading, split_weights
from lib.models.pretrained import check_four_bits

LORA = {
    "lora": {"r": 3, "target_modules": ["q_proj", "v_proj"]}, "frozen_a": False, "gradient_checkpointing": False,
    "seed": 0,
}  # fmt: skip
STEPS = 3
LOST = 0.1  # nats a token that four bits may cost on random tokens


def one_card(device: torch.device) -> str | None:
    """What two processes lack here, or None: on a processor they share its cores.

    Args:
        device: where they would run.
    """
    return "needs two GPUs" if device.type == "cuda" and torch.cuda.device_count() < 2 else None


def two_processes(device: torch.device) -> Figures:
    """Two processes end a training with privacy where one does, also with the frozen weights split over them.

    Args:
        device: where they run, one a card.
    """
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        LlamaForCausalLM(
            LlamaConfig(vocab_size=50, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2)
        ).save_pretrained(folder)
        given = LORA | {"model": folder, "device": device.type, "dtype": "float32"}
        ways = {"relative error": {"processes": 2, "split_weights": False}}
        with suppress(DoppelError):  # a PyTorch for cards splits none on processors
            split_weights.check(device)
            ways["with split weights"] = {"processes": 2, "split_weights": True}
        alone = _weights(given | {"processes": 1, "split_weights": False}, Path(folder))
        errors = {}
        for way, changes in ways.items():
            errors[way] = float((alone - _weights(given | changes, Path(folder))).norm() / alone.norm())
            if not errors[way] < 1e-4:
                raise Differs(f"two processes end {errors[way]:.1e} of the weights' length from one ({way})")
    return errors


def no_four_bits(device: torch.device) -> str | None:
    """What weights in four bits lack here, or None.

    Args:
        device: where the model would run.
    """
    return refusal(check_four_bits, device)


def four_bits(device: torch.device) -> Figures:
    """The bundled model's loss with weights in four bits is nearly that in bfloat16.

    Args:
        device: a GPU.
    """
    data, losses, memory = made_up(8, 1000, 8, 24), {}, {}
    for dtype in ("bfloat16", "4bit"):
        before = torch.cuda.memory_allocated(device)
        model = loading.load(MODEL, dtype=dtype, device=device.type)
        memory[dtype] = (torch.cuda.memory_allocated(device) - before) / 1e6
        losses[dtype] = mean_loss(model, data)
        del model
    if not abs(losses["4bit"] - losses["bfloat16"]) < LOST * losses["bfloat16"]:
        raise Differs(f"the loss in four bits is {losses['4bit']:.3f}, and {losses['bfloat16']:.3f} in bfloat16")
    return {"loss": losses["4bit"], "loss in bfloat16": losses["bfloat16"], "MB": memory["4bit"]}


def _weights(given: dict[str, object], folder: Path) -> torch.Tensor:
    """The adapters' weights at the end of a short training, as one vector on the processor."""
    team, model = launch.start(given)
    try:
        settings = Settings(noise_multiplier=1.0, steps=STEPS, expected_batch=EXPECTED_BATCH, privacy_seed=5)
        file = folder / f"{team.size}-{given['split_weights']}.pt"
        trainer = Trainer(model, made_up(12, 50, 3, 9), settings, file, team)
        trainer.run()
    finally:
        team.close()
    return torch.cat([parameter.detach().flatten().cpu() for parameter in trainer.parameters])
