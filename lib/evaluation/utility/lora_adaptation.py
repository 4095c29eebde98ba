"""Trains many LoRA adapters, one after the other, from the same base weights.

On a machine with a GPU and the extra ``unsloth``, its kernels and 4-bit weights are used. Elsewhere it is PEFT and
transformers, where adapters on upper layers alone read each text once through the lower ones
(`lib.evaluation.utility.frozen_layers`).
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
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading
from lib.models.examples import Example

Backend = Literal["auto", "peft", "unsloth"]
# settings of LoraConfig under which nothing below the transformed layers is trained
SPLITTABLE = {"r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules", "layers_to_transform"}


@dataclass(frozen=True)
class Adaptation:
    """How an adapter is trained: AdamW with a linear schedule, without privacy.

    Args:
        steps: optimizer steps, the same for every set.
        batch: expected records a step (Poisson samples).
        learning_rate: at the first step.
        tokens_per_micro_batch: bounds memory alone.
    """

    steps: int
    batch: int
    learning_rate: float
    tokens_per_micro_batch: int = 512


def resolve_backend(backend: Backend, device: loading.Device) -> Backend:
    """The backend to use: for ``auto``, unsloth where it is installed and a GPU is used, else PEFT.

    Args:
        backend: as in the parameters: ``auto``, ``peft`` or ``unsloth``.
        device: as in the parameters.

    Raises:
        DoppelError: for an unknown backend, and for unsloth where it cannot run.
    """
    if backend not in ("auto", "peft", "unsloth"):
        raise DoppelError(
            "evaluation.unknown_backend",
            f"unknown backend {backend!r}",
            name="backend",
            value=backend,
            remedy=nearest(backend, ("auto", "peft", "unsloth")),
        )
    on_gpu, installed = loading.resolve_device(device).type == "cuda", find_spec("unsloth") is not None
    if backend == "unsloth" and not (on_gpu and installed):
        raise DoppelError(
            "evaluation.unsloth_unavailable",
            "backend 'unsloth' needs a GPU and the package unsloth",
            name="backend",
            value=backend,
            remedy="pip install -e '.[unsloth]'" if on_gpu else "use a machine with a GPU, or backend: peft",
        )
    if backend == "auto":
        return "unsloth" if on_gpu and installed else "peft"
    return backend


class Adaptable:
    """A pretrained language model for which adapters are trained.

    Args:
        name: as `lib.models.loading.locate` takes it.
        lora: settings of PEFT's LoraConfig.
        backend: see `resolve_backend`.
        device: where it runs.
        dtype: of its weights.
        max_tokens: longest prompt and completion together; only unsloth needs it in advance.

    Attributes:
        base: the pretrained model; None for unsloth, which loads it anew for each adapter.
        cached: the lower layers, where adapters are on upper layers alone and the model could be split.
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
        self.cached: frozen_layers.CachedLayers | None = None
        upper = self.lora.get("layers_to_transform")
        if self.base is not None and isinstance(upper, list) and set(self.lora) <= SPLITTABLE:
            first = min(upper)
            self.cached = frozen_layers.split_decoder(self.base, first)
            if self.cached is not None:
                self.lora["layers_to_transform"] = [layer - first for layer in upper]

    @property
    def pad(self) -> int:
        """The id that fills shorter rows of a batch for this model."""
        return 0 if self.cached is None else frozen_layers.PAD

    def vectors(self, examples: Sequence[Example], asked: Sequence[Sequence[int]] | None = None) -> np.ndarray:
        """Embeddings of the examples' texts by the frozen layers, (examples, width).

        The states are cached, so no training has to read a text again.

        Args:
            examples: the texts.
            asked: token ids of prompts that begin with the same texts, for another task: one pass then serves both.

        Raises:
            DoppelError: no layers are frozen.
        """
        if self.cached is None:
            raise DoppelError(
                "evaluation.no_frozen_layers",
                f"no layers of {self.name} are frozen",
                name="lora",
                remedy="name upper layers in lora: layers_to_transform",
            )
        read = [[*example.prompt, *example.completion][:-1] for example in examples]  # as a training's batch has it
        longer = read
        if asked is not None:  # a prompt that does not begin with its text is left to its own task
            longer = [prompt if prompt[: len(ids)] == ids else ids for ids, prompt in zip(read, asked, strict=True)]
        return self.cached.prefix_means(longer, list(map(len, read)), self.base.device)

    @contextmanager
    def adapted(
        self, examples: Sequence[Example], settings: Adaptation, *, seed: int, checkpoint: Path
    ) -> Iterator[PeftModel]:
        """Inside the ``with`` block, the model with a newly trained adapter; afterwards the base model is as before.

        Args:
            examples: records to train on.
            settings: of the training.
            seed: of initial weights, samples and dropout.
            checkpoint: file of the training's state, from which an interrupted training continues.
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
            privacy_seed=seed,  # no privacy is claimed, so the samples may be known
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
        """The pretrained model without an adapter."""
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
        from unsloth import FastLanguageModel  # patches transformers on import, so import it only where it is used

        model, _ = FastLanguageModel.from_pretrained(
            model_name=str(loading.locate(self.name)), max_seq_length=self.max_tokens, load_in_4bit=True
        )
        return model
