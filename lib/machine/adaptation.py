"""A check of 22_utility's other backend: an adapter trained by unsloth lowers the loss of the texts that it learns."""

import tempfile
from functools import partial
from pathlib import Path

import torch

from lib.evaluation.utility.lora_adaptation import Adaptable, Adaptation, resolve_backend
from lib.machine.check import Differs, Figures, refusal
from lib.machine.training import MODEL, made_up, mean_loss

LORA = {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]}


def no_unsloth(device: torch.device) -> str | None:
    """What the backend unsloth lacks here, or None.

    Args:
        device: where it would run.
    """
    return refusal(partial(resolve_backend, "unsloth"), device)


def unsloth(device: torch.device) -> Figures:
    """Train an adapter.

    Args:
        device: a GPU.
    """
    adaptable, data = Adaptable(MODEL, LORA, backend="unsloth", device=device.type), made_up(8, 1000, 8, 24)
    before = mean_loss(adaptable.plain(), data)
    with tempfile.TemporaryDirectory() as folder:
        settings = Adaptation(steps=20, batch=8, learning_rate=1e-3)
        with adaptable.adapted(data, settings, seed=0, checkpoint=Path(folder, "state")) as model:
            after = mean_loss(model, data)
    if not after < before:
        raise Differs(f"20 steps moved the loss of their own texts from {before:.3f} to {after:.3f}")
    return {"loss before": before, "loss after": after}
