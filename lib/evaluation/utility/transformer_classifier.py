"""A transformer encoder with a linear head on its mean hidden state, fine-tuned for equally many steps on every set."""

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
from lib.models.examples import by_length
from lib.models.pretrained import BUNDLED_ENCODERS, from_pretrained

TOKENS_AT_ONCE = 2048  # of texts that are predicted together
TOKENS_A_PASS = 512  # of texts in one forward and backward pass; a batch is several passes of texts of similar length
HEAD_RATE = 100  # learning rate of the new head, relative to that of the pretrained encoder


@dataclass(frozen=True)
class ClassifierSettings:
    """How the classifier is trained: AdamW with a linear schedule.

    Args:
        steps: optimizer steps, the same for every set.
        batch: records a step.
        learning_rate: of the encoder; the head's is `HEAD_RATE` times that.
        max_tokens: tokens of a text that are read.
        layers: how many upper layers are trained; the others run once for each text. None trains all of them, the
            embedding included.
        device: where it runs.
        dtype: of matrix products; weights and their updates are float32.
    """

    steps: int
    batch: int
    learning_rate: float
    max_tokens: int
    layers: int | None = None
    device: loading.Device = "auto"
    dtype: loading.Dtype = "auto"


def locate(name: str) -> Path | str:
    """Where transformers finds an encoder.

    Args:
        name: ``bundled:all-minilm-l6-v2``, ``hub:OWNER/NAME`` or a folder.

    Raises:
        DoppelError: for any other name.
    """
    scheme, _, rest = name.partition(":")
    if scheme == "hub" and rest:
        return rest
    if scheme == "bundled" and rest in BUNDLED_ENCODERS:
        return fetch(BUNDLED_ENCODERS[rest])
    if (Path(name) / "config.json").is_file():
        return Path(name)
    known = [*(f"bundled:{bundled}" for bundled in BUNDLED_ENCODERS), "hub:OWNER/NAME", "a folder with a config.json"]
    raise DoppelError(
        "evaluation.unknown_classifier",
        f"unknown classifier {name!r}",
        name="classifier",
        value=name,
        remedy=nearest(name, known),
    )


def transformer(name: str, texts: Sequence[str], settings: ClassifierSettings) -> Fit:
    """A classifier that starts from the same pretrained encoder at every training.

    Args:
        name: the encoder, see `locate`; loaded once.
        texts: the pool; tokenized once.
        settings: of each training.

    Raises:
        DoppelError: for an unknown encoder, and where ``settings.layers`` does not fit it.
    """
    return _FineTuning(name, texts, settings).fit


class _FineTuning:
    """A pretrained encoder, the token ids of the pool, and trainings that start from both."""

    def __init__(self, name: str, texts: Sequence[str], settings: ClassifierSettings):
        self.settings = settings
        source = locate(name)
        tokenizer = from_pretrained(AutoTokenizer, source)
        self.pad = tokenizer.pad_token_id
        self.ids = tokenizer(
            list(texts), truncation=True, max_length=settings.max_tokens, split_special_tokens=True
        ).input_ids
        self.device = loading.resolve_device(settings.device)
        self.dtype = loading.resolve_dtype(settings.dtype, self.device)
        with _quiet():  # transformers warns that the pooler is new, but the pooler is not used
            self.encoder = from_pretrained(AutoModel, source).to(self.device).eval()
        if settings.layers is not None and _freeze_lower(self.encoder, settings.layers, name):
            self.pad = frozen_layers.PAD

    def fit(self, rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        """Train on ``rows`` with label ``codes`` from ``seed``; predicted codes of ``tests``."""
        present, targets = np.unique(codes, return_inverse=True)
        model = self._trained(rows, torch.as_tensor(targets, device=self.device), len(present), seed).eval()
        predicted = np.empty(len(tests), int)
        with torch.inference_mode():
            for group in self._similar(tests, TOKENS_AT_ONCE):
                predicted[group] = self._logits(model, tests[group]).argmax(1).cpu().numpy()
        return present[predicted]

    def _trained(self, rows: np.ndarray, targets: torch.Tensor, labels: int, seed: int) -> "_Classifier":
        settings = self.settings
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)  # the head's weights, dropout
            model = _Classifier(copy.deepcopy(self.encoder), labels).to(self.device).train()
            groups = [
                {"params": model.encoder.parameters(), "lr": settings.learning_rate},
                {"params": model.head.parameters(), "lr": settings.learning_rate * HEAD_RATE},
            ]
            optimizer = torch.optim.AdamW(groups, fused=True)
            schedule = get_scheduler("linear", optimizer, settings.steps // 10, settings.steps)
            for batch in batches(len(rows), settings.batch, settings.steps, np.random.default_rng(seed)):
                for group in self._similar(rows[batch], TOKENS_A_PASS):
                    logits = self._logits(model, rows[batch[group]])
                    loss = nn.functional.cross_entropy(logits, targets[batch[group]])
                    (loss * len(group) / len(batch)).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
        return model

    def _logits(self, model: nn.Module, rows: np.ndarray) -> torch.Tensor:
        """Logits of the texts in ``rows``, float32 (rows, labels)."""
        texts = [torch.tensor(self.ids[i], device=self.device) for i in rows]
        ids = nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=frozen_layers.PAD)
        mask = (ids != frozen_layers.PAD).long()
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return model(ids.masked_fill(mask == 0, self.pad), mask).float()

    def _similar(self, rows: np.ndarray, tokens: int) -> Iterator[list[int]]:
        """Positions in ``rows`` of texts of similar length, at most so many ``tokens`` together."""
        return by_length([1] * len(rows), [len(self.ids[i]) for i in rows], tokens)


class _Classifier(nn.Module):
    """Logits (texts, labels) from the mean, over a text's tokens, of the encoder's last hidden states."""

    def __init__(self, encoder: nn.Module, labels: int):
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[:, :, None]
        return self.head(hidden.sum(1) / mask.sum(1, keepdim=True))


def _freeze_lower(encoder: PreTrainedModel, layers: int, name: str) -> bool:
    """Cache the layers below the ``layers`` upper ones; False where there are none below."""
    depth = encoder.config.num_hidden_layers
    if not 1 <= layers <= depth:
        raise DoppelError(
            "evaluation.layers_out_of_range",
            f"cannot train {layers} layers of {name}, which has {depth}",
            name="layers",
            value=layers,
            remedy=f"choose 1 to {depth}, or null for all",
        )
    if layers < depth and frozen_layers.split_encoder(encoder, depth - layers) is None:
        raise DoppelError(
            "evaluation.layers_not_separable",
            f"the upper layers of {name} cannot be trained alone",
            name="layers",
            value=layers,
            remedy="train all of them (null)",
        )
    return layers < depth


def batches(records: int, size: int, steps: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Positions of the records of each step: shuffled passes over all records, cut into batches.

    Args:
        records: number of records.
        size: records of each batch.
        steps: number of batches.
        rng: of the shuffles.
    """
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
