"""A language model that is adapted by LoRA again and again, each time from its own weights.

On a GPU machine with the extra ``unsloth`` its kernels and 4-bit weights are used; else PEFT and transformers, where
adapters on the upper layers alone read the lower ones once for each text (`lib.evaluation.utility.frozen_layers`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from lib.common.errors import DoppelError, nearest
from lib.evaluation.utility import frozen_layers
from lib.methods.dp_lora.trainer import Settings, Trainer
from lib.models import loading
from lib.models.examples import Example

Backend = Literal["auto", "peft", "unsloth"]
# settings of LoraConfig under which nothing below the transformed layers is trained
SPLITTABLE = {"r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules", "layers_to_transform"}


@dataclass(frozen=True)
class Adaptation:
    """How long and how fast: ``steps`` of ``batch`` records on average (Poisson samples), AdamW, a linear schedule."""

    steps: int
    batch: int
    learning_rate: float
    tokens_per_micro_batch: int = 512


def resolve_backend(backend: Backend, device: loading.Device) -> Backend:
    """``auto`` is unsloth where it is installed and a GPU is used. Raises DoppelError where unsloth cannot run."""
    if backend not in ("auto", "peft", "unsloth"):
        raise DoppelError(f"unknown backend {backend!r}; {nearest(backend, ('auto', 'peft', 'unsloth'))}")
    on_gpu, installed = loading.resolve_device(device).type == "cuda", find_spec("unsloth") is not None
    if backend == "unsloth" and not (on_gpu and installed):
        missing = "pip install -e '.[unsloth]'" if on_gpu else "use a machine with a GPU, or backend: peft"
        raise DoppelError(f"backend 'unsloth' needs a GPU and the package of that name; {missing}")
    if backend == "auto":
        return "unsloth" if on_gpu and installed else "peft"
    return backend


class Adaptable:
    """A language model by name, and adapters for it.

    Args:
        lora: settings of PEFT's LoraConfig.
        max_tokens: of a prompt and its completion, for unsloth, which asks beforehand.
    """

    def __init__(
        self,
        name: str,
        lora: Mapping[str, object],
        *,
        backend: Backend = "auto",
        device: loading.Device = "auto",
        dtype: loading.Dtype = "auto",
        max_tokens: int = 512,
    ):
        self.name, self.lora, self.max_tokens = name, dict(lora), max_tokens
        self.backend = resolve_backend(backend, device)
        self.tokenizer = loading.load_tokenizer(name)
        self.base = loading.load(name, device=device, dtype=dtype) if self.backend == "peft" else None
        self.remembered: frozen_layers.Remembered | None = None
        upper = self.lora.get("layers_to_transform")
        if self.base is not None and isinstance(upper, list) and set(self.lora) <= SPLITTABLE:
            first = min(upper)
            self.remembered = frozen_layers.split_decoder(self.base, first)
            if self.remembered is not None:
                self.lora["layers_to_transform"] = [layer - first for layer in upper]

    @property
    def pad(self) -> int:
        """What fills shorter rows of a batch for this model."""
        return 0 if self.remembered is None else frozen_layers.PAD

    def vectors(self, examples: Sequence[Example], asked: Sequence[Sequence[int]] | None = None) -> np.ndarray:
        """Embeddings of the examples' texts by the frozen layers, (examples, width).

        What the layers give is kept, so that no training reads a text again. ``asked`` are token ids of the same texts
        with what another task asks after them: one pass serves both. Raises DoppelError where all layers learn.
        """
        if self.remembered is None:
            raise DoppelError(f"no layers of {self.name} are apart; name upper layers in lora: layers_to_transform")
        read = [[*example.prompt, *example.completion][:-1] for example in examples]  # as a training's batch has it
        longer = read
        if asked is not None:  # one that does not begin with its text is left to its task
            longer = [more if more[: len(ids)] == ids else ids for ids, more in zip(read, asked, strict=True)]
        return self.remembered.beginnings(longer, list(map(len, read)), self.base.device)

    @contextmanager
    def adapted(
        self, examples: Sequence[Example], settings: Adaptation, *, seed: int, checkpoint: Path
    ) -> Iterator[PeftModel]:
        """The model with a new adapter trained on ``examples``; afterwards the model is what it was.

        ``seed`` governs initial weights, samples and dropout; a training that was cut off goes on from ``checkpoint``.
        """
        model = self._fresh(seed)
        training = Settings(
            noise_multiplier=None,
            steps=settings.steps,
            expected_batch=min(settings.batch, len(examples)),
            learning_rate=settings.learning_rate,
            schedule="linear",
            tokens_per_micro_batch=settings.tokens_per_micro_batch,
            checkpoint_every=settings.steps,
            seed=seed,
            privacy_seed=seed,  # nothing private is claimed: the samples may be known
        )
        try:
            trainer = Trainer(model, examples, training, checkpoint)
            trainer.pad = self.pad
            trainer.run()
            model.eval()
            yield model
        finally:
            if self.base is not None:
                self.base = model.unload()

    def plain(self) -> PreTrainedModel:
        """The model as it is, without an adapter."""
        return self._unsloth() if self.base is None else self.base

    def _fresh(self, seed: int) -> PeftModel:
        if self.base is None:
            model = self._unsloth()
            from unsloth import FastLanguageModel

            return FastLanguageModel.get_peft_model(model, random_state=seed, **self.lora)
        device = self.base.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            return get_peft_model(self.base, LoraConfig(**{"task_type": "CAUSAL_LM", **self.lora}))

    def _unsloth(self) -> PreTrainedModel:
        from unsloth import FastLanguageModel  # patches transformers when imported: only where it is used

        model, _ = FastLanguageModel.from_pretrained(
            model_name=str(loading.locate(self.name)), max_seq_length=self.max_tokens, load_in_4bit=True
        )
        return model
