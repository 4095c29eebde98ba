"""Canaries, a corpus and an arm of tiny size for the tests of audits."""

from pathlib import Path

import numpy as np
import yaml

from lib.audit import canary_set, target
from lib.audit.canary_set import CanarySet
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.models import loading

TINY = "bundled:tiny-random"
CELLS = [{"mood": "good"}, {"mood": "bad"}]
TRAINING = {
    "inputs": {"corpus": "00_process_data"}, "model": TINY, "prompt": "{mood}:", "chat": False, "max_tokens": 48,
    "target_epsilon": None, "steps": 30, "expected_batch": 24.0, "max_grad_norm": 1.0, "learning_rate": 0.02,
    "schedule": "constant", "warmup_steps": 0, "weight_decay": 0.0,
    "lora": {"r": 16, "lora_alpha": 64, "target_modules": "all-linear"},
    "frozen_a": False, "average_from": None, "contrast": 0.0, "warm_steps": 0, "warm_batch": 4.0,
    "warm_learning_rate": 0.01,
    "gradient_checkpointing": False, "tokens_per_micro_batch": 4096, "checkpoint_every": 100, "device": "cpu",
    "dtype": "float32", "seed": 0, "privacy_seed": 5,
}  # fmt: skip


def plant(count: int = 30, repeated: dict[int, int] | None = None, seed: int = 1, references: int = 6) -> CanarySet:
    return canary_set.plant(
        count, references=references, repeated={8: 12} if repeated is None else repeated, cells=CELLS,
        tokenizer=loading.load_tokenizer(TINY), locale="en_US", seed=seed,
    )  # fmt: skip


def corpus(count: int = 40) -> list[Record]:
    return [Record(f"r{n}", PrivateText(f"the box {n} came late"), CELLS[n % 2]) for n in range(count)]


def arm(run: Path, epsilon: float = np.inf, **changes: object) -> target.Arm:
    """An arm of DP-LoRA in the folder of a run, with the parameters of its training on the disk."""
    training = run / "10_finetune_dp_lora.a"
    training.mkdir(exist_ok=True)
    (training / "params.yaml").write_text(yaml.safe_dump(TRAINING | changes))
    return target.Arm(run / "11_generate.a", {"inputs": {"model": training.name}}, epsilon, 1e-3, [])
