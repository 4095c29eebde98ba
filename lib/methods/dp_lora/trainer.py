"""DP-LoRA: trains low-rank adapters with DP-SGD on Poisson samples (Abadi et al. 2016; Yu et al. 2022).

Unit: one record, or one user with all records. Neighbours: add or remove one unit; n, the number of units, is treated
as public. Sampler: Poisson. In every step each unit joins the batch independently with probability q = expected_batch
/ n; an empty batch takes its step too, with noise alone. Sensitivity: a unit's gradient (for a user, the sum over the
user's records) is clipped to L2 norm ``max_grad_norm``, and one unit changes the batch's sum by no more than that.
Noise: Gaussian on every coordinate of the sum, of standard deviation ``noise_multiplier`` x ``max_grad_norm``. The
noisy sum is divided by the expected batch, a constant, never by the realised one.

Released are ``steps`` such noisy sums: the accountant's `Gaussian` with this noise multiplier, q and count. Weights,
their averages, optimizer states and learning rates are computed from them alone. `lib.methods.dp_lora.per_sample` makes
the gradients and `lib.methods.dp_lora.optimizer` clips them, adds them up and adds the noise, in whole numbers, so that
no rounding breaks the bound. The bound also needs that one unit changes no other's gradient, not even by rounding: a
unit's micro-batch has a shape that follows from the unit alone (`lib.methods.dp_lora.shapes`), and the machine must
compute a row of it alike in any company. In bfloat16 that is measured before the training; where it does not hold, the
frozen weights are taken in float32, or the training is refused if several processes hold a part of them each. In
float32 it is assumed: a difference there would be about 1e-6 of a gradient.
Several processes may share a step; why all of this holds then too is said in `lib.methods.dp_lora.ranks`.

Dropout draws its masks by a unit's place in the batch. If they were known (from a public seed), one more unit would
give those behind it other masks and so change their clipped gradients too, by far more than ``max_grad_norm`` (a test
shows it). So with privacy the masks are drawn by a generator that the operating system seeds, as secret as the noise
for anybody who cannot try all its keys (`lib.privacy.mechanisms.mask_generator`). Then a unit's masks are
distributed alike whoever else is in the batch, and independent of the others' masks. Give each unit the same masks in
both neighbours: for any such masks the sums differ by one clipped gradient. What is released is a mixture over the
masks, and two mixtures with the same weights are no easier to tell apart than their parts (joint convexity).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import get_scheduler

from lib.common.errors import DoppelError
from lib.methods.dp_lora import checkpoint, contrast, gradients
from lib.methods.dp_lora.alone import ALONE, Alone
from lib.methods.dp_lora.checkpoint import Progress
from lib.methods.dp_lora.method import sampling_probability
from lib.methods.dp_lora.optimizer import FixedPointOptimizer
from lib.methods.dp_lora.settings import Settings
from lib.models.examples import Batch, Example, by_length
from lib.models.losses import head_splits
from lib.privacy.mechanisms import poisson_sample, random_words

SAMPLE, NOISE = 0, 1  # streams of random draws beside `gradients.DROPOUT`; each has a new source in every step

OnGradient = Callable[[int, Sequence[torch.Tensor]], None]  # (step, gradients by parameter)


class Trainer:
    """Trains a model; can be resumed at its last checkpoint.

    Args:
        model: a PEFT model whose trainable parameters all belong to linear layers, as LoRA's do.
        examples: the private records as token ids, at least one; ``unit`` numbers their owners from 0 to n - 1. With
            ``contrast`` in the settings each has a ``wrong_prompt``, else none.
        settings: how to train.
        file: the checkpoint that `run` keeps up to date; where it exists, the training goes on from it, with however
            many processes.
        ranks: the processes that share the work; this one alone, unless it is the first of several.

    Raises:
        DoppelError: the units are not numbered without a gap, ``expected_batch`` is outside (0, n], a trainable
            parameter cannot be clipped per example, or the processes do not compute alike.
    """

    def __init__(
        self, model: nn.Module, examples: Sequence[Example], settings: Settings, file: Path, ranks: Alone = ALONE
    ):
        self.model, self.settings, self.checkpoint, self.ranks = model, settings, file, ranks
        self.device = next(model.parameters()).device
        self.by_unit: dict[int, list[Example]] = {}
        for row in contrast.rows(examples):
            self.by_unit.setdefault(row.unit, []).append(row)
        self.units = len(self.by_unit)
        if sorted(self.by_unit) != list(range(self.units)):
            raise DoppelError(
                "methods.units_with_gaps",
                "the units of the examples must be numbered 0 .. n-1 without a gap",
                name="examples",
                value=self.units,
                remedy="encode them with lib.models.examples.encode_all",
            )
        self.probability = sampling_probability(self.units, settings.expected_batch)
        self.pad = gradients.PAD  # of a training without privacy, which may have one of its own
        with ranks.evaluating(model):
            self.split_head = head_splits(model, Batch.of(examples[:1], gradients.PAD, self.device))
        self.parameters = gradients.trainable(model)
        adam = torch.optim.AdamW(self.parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self.scheduler = get_scheduler(
            settings.schedule, adam, num_warmup_steps=settings.warmup_steps, num_training_steps=settings.steps
        )
        self.adam = adam
        self.optimizer: torch.optim.Optimizer | FixedPointOptimizer = adam
        ranks.begin(settings, self.split_head, self.parameters)
        if settings.noise_multiplier is not None:
            with ranks.working():
                self.shapes = gradients.shapes_of(model, settings, self.split_head, ranks)
            self.optimizer = FixedPointOptimizer(
                adam,
                noise_multiplier=settings.noise_multiplier,
                max_grad_norm=settings.max_grad_norm,
                expected_batch_size=settings.expected_batch,
                gather=ranks.gather,
            )
        self.progress = Progress()
        self.average: list[torch.Tensor] | None = None  # of the weights after each step from ``average_from`` on
        if file.exists():
            self._restore()

    def run(
        self,
        evaluate: Callable[[], Sequence[float]] = tuple,
        on_step: Callable[[Progress], None] = lambda progress: None,
        on_gradient: OnGradient = lambda step, gradients: None,
    ) -> Progress:
        """Train to the last step. Then the model has the averaged weights, where ``average_from`` is set.

        Args:
            evaluate: called before the first step and at every checkpoint but the last, because what is trained can be
                evaluated by the caller; its values go into `Progress.curve`.
            on_step: called after each step.
            on_gradient: called in each step, counted from 0, with what the optimizer gets, one tensor a parameter.
                With privacy that is the clipped sum plus its noise over the expected batch: all that DP-SGD releases.

        Returns:
            The progress, complete.
        """
        self._evaluate(evaluate)  # also where a run was killed while it evaluated
        previous = self._redraw(self.progress.step - 1)
        while self.progress.step < self.settings.steps:
            batch = self._draw(self.progress.step)
            self.step(batch, on_gradient)
            self.progress.step += 1
            self._add_to_average()
            self.progress.batch_sizes.append(len(batch))
            if previous is not None:
                self.progress.overlaps.append(len(set(batch) & set(previous)))
            previous = batch
            on_step(self.progress)
            if self.progress.step % self.settings.checkpoint_every == 0 or self.progress.step == self.settings.steps:
                self._save()  # before evaluating: a killed run would draw other noise after its value was shown
                if self._evaluate(evaluate):
                    self._save()
        if self.average is not None:
            self._load(self.average)
        return self.progress

    def _evaluate(self, evaluate: Callable[[], Sequence[float]]) -> bool:
        """Add a row to the curve, unless it has this step already or this is the last one. Says whether it did.

        The weights are those that would be kept if the training ended here: averaged ones, where there are any.
        """
        step, curve = self.progress.step, self.progress.curve
        if step == self.settings.steps or (curve and curve[-1][0] == step):
            return False
        iterate = [parameter.detach().clone() for parameter in self.parameters]
        self._load(iterate if self.average is None else self.average)
        curve.append([step, *evaluate()])
        self._load(iterate)
        return True

    def step(self, batch: Sequence[int], on_gradient: OnGradient = lambda step, gradients: None) -> None:
        """Take one optimizer step.

        Args:
            batch: numbers of the units in the batch; may be empty.
            on_gradient: as in `run`.
        """
        private = isinstance(self.optimizer, FixedPointOptimizer)
        rows = [row for unit in batch for row in self.by_unit[unit]]
        self.progress.records += len(rows) // (2 if self.settings.contrast else 1)
        self.progress.tokens += sum(map(len, rows))
        groups = list(self.micro_batches(batch))
        members = [[self.by_unit[unit] for unit in group] for group in groups]
        size = self.shapes.size if private else lambda units: sum(len(row) for unit in units for row in unit)
        places = self.ranks.share(self.progress.step, members, list(map(size, members)), self.parameters)
        own = [[] if place is None else groups[place] for place in places]
        self.model.train()
        with gradients.masks(self.settings, self.progress.step, self.device), self.ranks.working():
            for number, units in enumerate(own, 1):
                self._gradients(units, private)
                if private:
                    self._accumulate(last=number == len(own))
        if not private:
            self.ranks.gather([parameter.grad for parameter in self.parameters])
            for parameter in self.parameters:
                parameter.grad /= self.settings.expected_batch
            self.adam.step()
        on_gradient(self.progress.step, [parameter.grad for parameter in self.parameters])
        self.optimizer.zero_grad()
        self.scheduler.step()

    def _accumulate(self, *, last: bool) -> None:
        """Clip and add up a micro-batch; after the last one, add noise, scale and step. Opacus does all of it."""
        if last:
            self.optimizer.words = random_words(self.settings.privacy_seed, NOISE, self.progress.step)
        self.optimizer.signal_skip_step(not last)
        self.optimizer.step()
        if not last:
            self.optimizer.zero_grad()

    def _gradients(self, units: Sequence[int], private: bool) -> None:
        """Gradients of the units' losses: with privacy one row a unit in ``grad_sample``, else summed in ``grad``."""
        members = [self.by_unit[unit] for unit in units]
        if private:
            gradients.of_units(self.model, members, self.shapes, split_head=self.split_head)
        else:
            gradients.summed(self.model, members, self.settings.contrast, split_head=self.split_head, pad=self.pad)

    def micro_batches(self, batch: Sequence[int]) -> Iterator[list[int]]:
        """Split a batch into groups of units of similar length.

        Args:
            batch: numbers of the units.

        Yields:
            Numbers of the units of a group; padded, it has at most ``tokens_per_micro_batch`` tokens, or it is a single
            unit with more. A unit is never split. With privacy the groups are those of
            `lib.methods.dp_lora.shapes.Shapes.groups`.
        """
        batch = sorted(batch)
        units = [self.by_unit[unit] for unit in batch]
        if self.settings.noise_multiplier is not None:
            groups = self.shapes.groups(units)
        else:
            widths = [max(map(len, unit)) for unit in units]
            groups = by_length([len(unit) for unit in units], widths, self.settings.tokens_per_micro_batch)
        for group in groups:
            yield [batch[i] for i in group]

    def _draw(self, step: int) -> list[int]:
        words = random_words(self.settings.privacy_seed, SAMPLE, step)
        return poisson_sample(self.units, self.probability, words).tolist()

    def _redraw(self, step: int) -> list[int] | None:
        """The batch of an earlier step; None where it cannot be drawn again, because no seed was kept."""
        return None if step < 0 or self.settings.privacy_seed is None else self._draw(step)

    def _save(self) -> None:
        state = {
            "parameters": [p.detach().cpu() for p in self.parameters],
            "optimizer": self.adam.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "average": None if self.average is None else [mean.cpu() for mean in self.average],
        }
        checkpoint.save(self.checkpoint, state, self.progress)

    def _restore(self) -> None:
        state, self.progress = checkpoint.read(self.checkpoint)
        self._load(state["parameters"])
        self.adam.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        if state["average"] is not None:
            self.average = [mean.to(self.device) for mean in state["average"]]

    def _load(self, weights: Sequence[torch.Tensor]) -> None:
        with torch.no_grad():
            for parameter, saved in zip(self.parameters, weights, strict=True):
                parameter.copy_(saved)

    def _add_to_average(self) -> None:
        """Add the weights to their running mean, from the step ``average_from`` on."""
        number = self.progress.step - (self.settings.average_from or math.inf) + 1
        if number < 1:
            return
        if self.average is None:
            self.average = [torch.zeros_like(p, dtype=torch.float64) for p in self.parameters]
        for mean, parameter in zip(self.average, self.parameters, strict=True):
            mean += (parameter.detach() - mean) / number
