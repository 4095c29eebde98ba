"""A transformer encoder with a linear head on its mean hidden state, all fine-tuned, at equal steps for every set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, get_scheduler
from transformers.utils import logging

from lib.assets import fetch
from lib.embedding import BUNDLED
from lib.errors import DoppelError, nearest
from lib.models import Device, resolve_device
from lib.per_sample import by_length
from lib.utility.classic import Fit

TOKENS_AT_ONCE = 2048  # of texts that are predicted together
HEAD_RATE = 100  # learning rate of the head, over that of the encoder, which has learned already


@dataclass(frozen=True)
class Settings:
    """How long and how fast: ``steps`` of ``batch`` records, AdamW with a linear schedule."""

    steps: int
    batch: int
    learning_rate: float
    max_tokens: int
    device: Device = "auto"


def locate(name: str) -> Path | str:
    """Where transformers finds an encoder: ``bundled:all-minilm-l6-v2``, ``hub:OWNER/NAME`` or a folder."""
    kind, _, rest = name.partition(":")
    if kind == "hub" and rest:
        return rest
    if kind == "bundled" and rest in BUNDLED:
        return fetch(BUNDLED[rest])
    if (Path(name) / "config.json").is_file():
        return Path(name)
    known = [*(f"bundled:{one}" for one in BUNDLED), "hub:OWNER/NAME", "a folder with a config.json"]
    raise DoppelError(f"unknown classifier {name!r}{nearest(name, known)}")


def transformer(name: str, texts: Sequence[str], settings: Settings) -> Fit:
    """A classifier that starts from ``name`` at every training; the texts are read once."""
    source = locate(name)
    tokenizer = _load(AutoTokenizer, source)
    read = tokenizer(list(texts), truncation=True, max_length=settings.max_tokens, split_special_tokens=True).input_ids
    device = resolve_device(settings.device)

    def padded(rows: np.ndarray) -> dict[str, torch.Tensor]:
        return tokenizer.pad({"input_ids": [read[i] for i in rows]}, return_tensors="pt").to(device)

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        present, targets = np.unique(codes, return_inverse=True)
        devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)  # the head's weights, dropout
            model = _Classifier(_load(AutoModel, source), len(present)).to(device)
            groups = [
                {"params": model.encoder.parameters(), "lr": settings.learning_rate},
                {"params": model.head.parameters(), "lr": settings.learning_rate * HEAD_RATE},
            ]
            optimizer = torch.optim.AdamW(groups)
            schedule = get_scheduler("linear", optimizer, settings.steps // 10, settings.steps)
            model.train()
            for batch in batches(len(rows), settings.batch, settings.steps, np.random.default_rng(seed)):
                logits = model(padded(rows[batch]))
                nn.functional.cross_entropy(logits, torch.as_tensor(targets[batch], device=device)).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            model.eval()
            predicted = np.empty(len(tests), int)
            with torch.inference_mode():
                for part in by_length([1] * len(tests), [len(read[i]) for i in tests], TOKENS_AT_ONCE):
                    predicted[part] = model(padded(tests[part])).argmax(1).cpu().numpy()
        return present[predicted]

    return fit


class _Classifier(nn.Module):
    """Logits (texts, labels) of the mean over a text's tokens of the encoder's last hidden states."""

    def __init__(self, encoder: nn.Module, labels: int):
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        mask = inputs["attention_mask"][:, :, None]
        hidden = self.encoder(**inputs).last_hidden_state * mask
        return self.head(hidden.sum(1) / mask.sum(1))


def batches(records: int, size: int, steps: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Places of each step's records: shuffled passes over all of them, cut into ``steps`` batches of ``size``."""
    passes = -(-steps * size // records)
    order = np.concatenate([rng.permutation(records) for _ in range(passes)])[: steps * size]
    return np.split(order, steps)


def _load(kind: type, source: Path | str, **options: object):
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # that the head is new is what we want
    try:
        return kind.from_pretrained(source, local_files_only=isinstance(source, Path), **options)
    except OSError as error:
        raise DoppelError(
            f"classifier {str(source)!r} cannot be loaded ({str(error).splitlines()[0]}). Check its name and the "
            "network; or give a folder with the model in it"
        ) from None
    finally:
        logging.set_verbosity(before)
