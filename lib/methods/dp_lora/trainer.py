"""DP-LoRA: fine-tune low-rank adapters with DP-SGD on Poisson samples (Abadi et al. 2016; Yu et al. 2022).

Unit: one record, or one user. Neighbours: add or remove one unit. Sampler: every step each unit joins
independently with probability q = expected_batch / units; empty batches take their (pure noise) step
too. Sensitivity: a unit's gradient (for a user: the sum over the user's records) is clipped to
``max_grad_norm``; the noise on the sum has standard deviation noise_multiplier x max_grad_norm; the
noisy sum is divided by the expected batch, never by the realised one. Opacus clips, adds the noise
and scales; lib.methods.dp_lora.per_sample makes the gradients.

Dropout draws its masks by a unit's place in the batch. Were they known (a public seed), one unit more would give
those behind it other masks and so move their clipped gradients too, by far more than ``max_grad_norm`` (a test shows
it). So with privacy the masks come from the same secret randomness as the noise, whoever is there: give each unit the
same masks in both neighbours, and for any such masks the sums differ by one clipped gradient. What is released is a
mixture over the masks, and mixtures are no easier to tell apart than their parts (joint convexity).
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from opacus.optimizers import DPOptimizer
from torch import nn
from transformers import get_scheduler

from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.methods.dp_lora import per_sample
from lib.methods.dp_lora.method import sampling_probability
from lib.models.examples import Batch, Example, by_length
from lib.models.losses import example_losses, head_splits
from lib.privacy.mechanisms import noise_generator, poisson_sample

SAMPLE, NOISE, DROPOUT = 0, 1, 2  # streams of the generators, one of each a step


@dataclass(frozen=True)
class Settings:
    """How to train. ``noise_multiplier=None`` trains without privacy: same batches, no clipping, no noise.

    ``tokens_per_micro_batch`` bounds memory alone: the sum over a batch does not depend on it, dropout aside.
    ``privacy_seed`` (None: the operating system's) governs the samples, the noise and, with privacy, dropout;
    ``seed`` the dropout of a training without privacy.
    """

    noise_multiplier: float | None
    steps: int
    expected_batch: float
    max_grad_norm: float = 1.0
    learning_rate: float = 2e-3
    schedule: str = "constant"
    warmup_steps: int = 0
    weight_decay: float = 0.0
    tokens_per_micro_batch: int = 512
    checkpoint_every: int = 5
    seed: int = 0
    privacy_seed: int | None = None


@dataclass
class Progress:
    """Where a training stands: what a checkpoint holds besides weights and optimizer."""

    step: int = 0
    batch_sizes: list[int] = field(default_factory=list)  # units drawn, one entry a step
    overlaps: list[int] = field(default_factory=list)  # units shared with the batch before
    records: int = 0  # records seen so far
    tokens: int = 0  # tokens seen so far, prompts included
    curve: list[list[float]] = field(default_factory=list)  # [step, what `evaluate` gave], from step 0 on


class Trainer:
    """One training, resumable at its last checkpoint.

    Args:
        model: a PEFT model; its trainable parameters must be linear layers (LoRA's are).
        examples: the private records as token ids, ``unit`` numbering their owners 0 .. n-1.
        checkpoint: file that `run` keeps up to date, and resumes from when it exists.
    """

    def __init__(self, model: nn.Module, examples: Sequence[Example], settings: Settings, checkpoint: Path):
        self.model, self.settings, self.checkpoint = model, settings, checkpoint
        self.device = next(model.parameters()).device
        self.by_unit: dict[int, list[Example]] = {}
        for example in examples:
            self.by_unit.setdefault(example.unit, []).append(example)
        self.units = len(self.by_unit)
        if sorted(self.by_unit) != list(range(self.units)):
            raise DoppelError("the units of the examples must be numbered 0 .. n-1 without a gap")
        self.probability = sampling_probability(self.units, settings.expected_batch)
        self.pad = 0  # any id will do: causal attention and the loss never look at the padding
        self.split_head = head_splits(model, Batch.of(examples[:1], self.pad, self.device))
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        adam = torch.optim.AdamW(self.parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self.scheduler = get_scheduler(
            settings.schedule, adam, num_warmup_steps=settings.warmup_steps, num_training_steps=settings.steps
        )
        self.adam = adam
        self.optimizer: torch.optim.Optimizer | DPOptimizer = adam
        if settings.noise_multiplier is not None:
            per_sample.attach(model)
            self.optimizer = DPOptimizer(
                adam,
                noise_multiplier=settings.noise_multiplier,
                max_grad_norm=settings.max_grad_norm,
                expected_batch_size=settings.expected_batch,
                # one draw of float32 ends at 5.77 sigma on a CPU (24-bit uniforms): over a million weights its missing
                # tail would weigh more than delta. Four draws, summed and halved, end at 11.5
                secure_mode=True,
            )
        self.progress = Progress()
        if checkpoint.exists():
            self._restore()

    def run(
        self,
        evaluate: Callable[[], Sequence[float]] = tuple,
        on_step: Callable[[Progress], None] = lambda progress: None,
        on_gradient: Callable[[int, Sequence[torch.Tensor]], None] = lambda step, gradients: None,
    ) -> Progress:
        """Train to the last step; ``evaluate`` first and at every checkpoint, ``on_step`` after each.

        ``on_gradient`` is shown what each step (from 0) hands the optimizer, by parameter: with privacy, the clipped
        sum with its noise over the expected batch, which is all that DP-SGD releases.
        """
        if not self.progress.curve or self.progress.curve[-1][0] < self.progress.step:  # or killed before it was told
            self.progress.curve.append([self.progress.step, *evaluate()])
        previous = self._redraw(self.progress.step - 1)
        while self.progress.step < self.settings.steps:
            batch = self._draw(self.progress.step)
            self.step(batch, on_gradient)
            self.progress.step += 1
            self.progress.batch_sizes.append(len(batch))
            if previous is not None:
                self.progress.overlaps.append(len(set(batch) & set(previous)))
            previous = batch
            on_step(self.progress)
            if self.progress.step % self.settings.checkpoint_every == 0 or self.progress.step == self.settings.steps:
                self._save()  # first: no figure may leave of noise that another attempt would draw again
                self.progress.curve.append([self.progress.step, *evaluate()])
                self._save()
        return self.progress

    def step(
        self,
        batch: Sequence[int],
        on_gradient: Callable[[int, Sequence[torch.Tensor]], None] = lambda step, gradients: None,
    ) -> None:
        """One optimizer step on the units of ``batch`` (possibly none)."""
        private = isinstance(self.optimizer, DPOptimizer)
        self.model.train()
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            self._seed_dropout(private)
            micro_batches = list(self.micro_batches(batch))
            for number, units in enumerate(micro_batches, 1):
                self._gradients(units, private)
                if private:
                    self._accumulate(last=number == len(micro_batches))
        if not micro_batches:
            self._empty_gradients(private)
            if private:
                self._accumulate(last=True)
        if not private:
            for parameter in self.parameters:
                parameter.grad /= self.settings.expected_batch
            self.adam.step()
        on_gradient(self.progress.step, [parameter.grad for parameter in self.parameters])
        self.optimizer.zero_grad()
        self.scheduler.step()

    def _seed_dropout(self, private: bool) -> None:
        """Set the generator that dropout draws from, at each step anew."""
        if not private:
            words = np.random.SeedSequence([self.settings.seed, self.progress.step]).generate_state(1)
            torch.manual_seed(int(words[0]))
            return
        state = self._generator(DROPOUT, self.progress.step, self.device).get_state()
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state, self.device)
        else:
            torch.set_rng_state(state)

    def _accumulate(self, *, last: bool) -> None:
        """Clip and add a micro-batch; after the last one, add noise, scale and step (all Opacus)."""
        if last:
            self.optimizer.generator = self._generator(NOISE, self.progress.step, self.device)
        self.optimizer.signal_skip_step(not last)
        self.optimizer.step()
        if not last:
            self.optimizer.zero_grad()

    def _gradients(self, units: Sequence[int], private: bool) -> None:
        examples = [example for unit in units for example in self.by_unit[unit]]
        self.progress.records += len(examples)
        self.progress.tokens += sum(map(len, examples))
        batch = Batch.of(examples, self.pad, self.device)
        example_losses(self.model, batch, split_head=self.split_head).sum().backward()
        if not private:
            return
        rows = torch.tensor([row for row, unit in enumerate(units) for _ in self.by_unit[unit]], device=self.device)
        for parameter in self.parameters:
            sample = parameter.grad_sample
            if len(units) < len(examples):  # a user's records count as one
                sample = torch.zeros(len(units), *parameter.shape, device=self.device).index_add_(0, rows, sample)
            # A gradient that overflowed would pass the clipping as NaN and reach the sum: it counts as zero.
            parameter.grad_sample = sample.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)

    def _empty_gradients(self, private: bool) -> None:
        for parameter in self.parameters:
            if private:
                parameter.grad_sample = torch.zeros(0, *parameter.shape, device=self.device)
            else:
                parameter.grad = torch.zeros_like(parameter)

    def micro_batches(self, batch: Sequence[int]) -> Iterator[list[int]]:
        """Units of similar length together, at most ``tokens_per_micro_batch`` padded tokens (a unit is never cut)."""
        batch = sorted(batch)
        rows = [len(self.by_unit[unit]) for unit in batch]
        widths = [max(map(len, self.by_unit[unit])) for unit in batch]
        for part in by_length(rows, widths, self.settings.tokens_per_micro_batch):
            yield [batch[i] for i in part]

    def _generator(self, stream: int, step: int, device: torch.device | str = "cpu") -> torch.Generator:
        return noise_generator(self.settings.privacy_seed, stream, step, device=device)

    def _draw(self, step: int) -> list[int]:
        return poisson_sample(self.units, self.probability, self._generator(SAMPLE, step)).tolist()

    def _redraw(self, step: int) -> list[int] | None:
        """The batch of an earlier step: known again with an integer seed, else never, as privacy demands."""
        return None if step < 0 or self.settings.privacy_seed is None else self._draw(step)

    def _save(self) -> None:
        state = {
            "parameters": [p.detach().cpu() for p in self.parameters],
            "optimizer": self.adam.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "progress": vars(self.progress),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomic(self.checkpoint, buffer.getvalue())

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        with torch.no_grad():
            for parameter, saved in zip(self.parameters, state["parameters"], strict=True):
                parameter.copy_(saved)
        self.adam.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.progress = Progress(**state["progress"])
