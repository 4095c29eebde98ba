"""Canaries for DP-SGD: gradients of a single coordinate that go through the trainer, without a model.

What runs is `lib.methods.dp_lora.trainer.Trainer` itself: its Poisson sampler, its micro-batches, the clipper, the
noise and the division by the expected batch of `lib.methods.dp_lora.optimizer`. Only the pass through the model is
left out: a canary's gradient is given, a single coordinate of its own, far longer than the clipping norm. So it is
clipped to that norm, which is the most that one unit can add. This is the worst record that the guarantee covers, and
canaries with different coordinates do not disturb each other (Keinan, Shenfeld & Ligett 2025, arXiv:2503.07199).

Each world is a training of its own on `WORLD` canaries at most, of which half are units and half are not there, with
the access' q, sigma and T. A release about a canary, over the clipping norm, is N(0, sigma^2) if it is out, and
(1 - q) N(0, sigma^2) + q N(1, sigma^2) if it is in. No private record is in any world.

That the pass through the model gives each unit the gradient of its own records, and no other's, is tested in
tests/methods/dp_lora (test_per_sample.py, test_trainer.py, test_shapes.py).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from lib.audit import conformance
from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models.examples import Example
from lib.privacy.mechanisms import check_sampler

WORLD = 4096  # canaries of a training: the rows of a batch have as many coordinates
NOISE_COORDINATES, NOISE_STEPS = 2**20, 5  # of empty batches, from which the noise is measured
PROBED = 512  # units whose clipped gradients are measured
LENGTHS = (10.0, 1e6)  # of gradients before they are clipped, in clipping norms; drawn evenly on a log scale


def send(
    access: Access,
    canaries: int,
    *,
    rng: np.random.Generator,
    fault: Fault | None = None,
    progress: Callable[[int], object] = lambda done: None,
    noise_steps: int = NOISE_STEPS,
    privacy_seed: int | None = None,
) -> CanaryRun:
    """Send canaries through the training of an access.

    Args:
        access: a training with DP-SGD.
        canaries: m, at least 4.
        rng: draws which are in, and the lengths of their gradients.
        fault: planted in the trainer, or None.
        progress: called with the number of canaries newly done.
        noise_steps: steps with an empty batch from which the noise is measured, at least 1.
        privacy_seed: None: the operating system seeds samples and noise, as for a release. An integer is for tests.

    Returns:
        Scores, and the checks of noise, clipping, batches and seeds.
    """
    worlds = np.array_split(np.arange(canaries), -(-canaries // WORLD))
    units = min(map(len, worlds)) // 2
    scores, included = np.zeros(canaries), np.zeros(canaries, bool)
    sizes: list[int] = []
    overlaps: list[int] = []
    marks: list[np.ndarray] = []
    for number, members in enumerate(worlds):
        inside = rng.permutation(np.arange(len(members)) < units)
        lengths = np.exp(rng.uniform(*np.log(LENGTHS), units))
        seed = None if privacy_seed is None else privacy_seed + number
        width, places = conformance.MARK + len(inside), conformance.MARK + np.flatnonzero(inside)
        world = _World(access, units, width, _diracs(places, lengths, width), fault, seed)
        included[members] = inside
        for released in world.releases():
            mark, of_canaries = np.split(released, [conformance.MARK])  # nobody is at the first places
            scores[members] += access.mechanism.log_likelihood_ratio(of_canaries)
            marks.append(mark)
        sizes += world.progress.batch_sizes
        overlaps += world.progress.overlaps
        progress(len(members))
    probability = access.mechanism.sampling_probability
    checks = (
        conformance.noise(_noise(access, fault, noise_steps, privacy_seed), access.mechanism.noise_multiplier),
        conformance.sensitivity(_clipped(access, fault, rng)),
        conformance.sampler(check_sampler(sizes, overlaps, units=units, sampling_probability=probability)),
        conformance.seeds(marks),
    )
    return CanaryRun(scores, included, checks)


class _Coordinates(nn.Module):
    """Trainable weights in two layers, as the trainer takes them; nothing is ever computed with them."""

    def __init__(self, coordinates: int):
        super().__init__()
        self.first = nn.Linear(coordinates - coordinates // 2, 1, bias=False)
        self.second = nn.Linear(coordinates // 2, 1, bias=False)
        self.config = SimpleNamespace(max_position_embeddings=None)

    def get_output_embeddings(self) -> None:
        """There is no output head."""


class _World(Trainer):
    """The trainer on given gradients.

    Args:
        access: whose figures are used.
        units: how many there are, at least 1.
        coordinates: of a gradient, at least 2.
        gradients: numbers of b units -> their gradients, over the clipping norm that is claimed; float32, shape
            (b, coordinates).
        fault: planted, or None.
        privacy_seed: as in `send`.
        noiseless: whether the noise is left out, to measure the clipping.
    """

    def __init__(
        self,
        access: Access,
        units: int,
        coordinates: int,
        gradients: Callable[[Sequence[int]], torch.Tensor],
        fault: Fault | None,
        privacy_seed: int | None,
        *,
        noiseless: bool = False,
    ):
        self.gradients, self.fault, self.claimed_norm = gradients, fault, access.parameters["max_grad_norm"]
        clip = 2.0 if fault is Fault.LARGE_CLIP else 1.0  # times the claimed norm; the noise stays as it is claimed
        noise = {Fault.NO_NOISE: 0.0, Fault.HALVED_NOISE: 0.5}.get(fault, 1.0) / clip * (not noiseless)
        steps = access.mechanism.count
        settings = Settings(
            noise_multiplier=noise * access.mechanism.noise_multiplier,
            steps=steps,
            expected_batch=access.mechanism.sampling_probability * units,
            max_grad_norm=clip * self.claimed_norm,
            checkpoint_every=steps + 1,
            privacy_seed=privacy_seed,
        )
        examples = [Example([0], [0], unit) for unit in range(units)]
        with TemporaryDirectory() as folder:  # a world is not resumed
            super().__init__(_Coordinates(coordinates), examples, settings, Path(folder) / "checkpoint.pt")
        self.order = np.random.default_rng().permutation(units)  # of the shuffled passes that a fault makes

    def releases(self, batches: Sequence[Sequence[int]] | None = None) -> list[np.ndarray]:
        """What the optimizer got in each step, over the claimed clipping norm.

        Args:
            batches: units of each step's batch; None: the trainer draws them, in all its steps.

        Returns:
            The noisy sums, each float64, shape (coordinates,).
        """
        sums: list[np.ndarray] = []

        def keep(step: int, gradients: Sequence[torch.Tensor]) -> None:
            whole = torch.cat([gradient.flatten().double() for gradient in gradients])
            sums.append((whole * (self.settings.expected_batch / self.claimed_norm)).numpy())

        if batches is None:
            self.run(on_gradient=keep)
        else:
            for batch in batches:
                self.step(batch, keep)
                self.progress.step += 1
        return sums

    def _gradients(self, units: Sequence[int], private: bool) -> None:
        rows = self.gradients(units) * self.claimed_norm
        for parameter, part in zip(self.parameters, rows.split([p.numel() for p in self.parameters], 1), strict=True):
            parameter.grad_sample = part[:, None]

    def _draw(self, step: int) -> list[int]:
        if self.fault is not Fault.SHUFFLED:
            return super()._draw(step)
        size = max(1, round(self.settings.expected_batch))  # batches of fixed size, each unit once in a pass
        return np.take(self.order, range(step * size, (step + 1) * size), mode="wrap").tolist()

    def _save(self) -> None:
        """Nothing is kept of a world."""


def _diracs(places: np.ndarray, lengths: np.ndarray, coordinates: int) -> Callable[[Sequence[int]], torch.Tensor]:
    """Gradients of one coordinate each: unit u has ``lengths[u]`` at ``places[u]``, and zeros elsewhere."""

    def rows(units: Sequence[int]) -> torch.Tensor:
        dense = np.zeros((len(units), coordinates), np.float32)
        dense[np.arange(len(units)), places[units]] = lengths[units]
        return torch.from_numpy(dense)

    return rows


def _noise(access: Access, fault: Fault | None, steps: int, privacy_seed: int | None) -> np.ndarray:
    """What the trainer adds to empty batches, over the clipping norm; shape (steps, `NOISE_COORDINATES`)."""
    zero = _diracs(np.zeros(1, int), np.zeros(1), NOISE_COORDINATES)
    world = _World(access, 1, NOISE_COORDINATES, zero, fault, privacy_seed)
    return np.stack(world.releases([[]] * steps))


def _clipped(access: Access, fault: Fault | None, rng: np.random.Generator) -> np.ndarray:
    """Norms of what single units add to a sum without noise, over the clipping norm; shape (`PROBED`,)."""
    lengths = np.exp(rng.uniform(*np.log(LENGTHS), PROBED))
    rows = rng.normal(size=(PROBED, 64))
    rows *= (lengths / np.linalg.norm(rows, axis=1))[:, None]
    gradients = torch.from_numpy(rows).float()
    world = _World(access, *rows.shape, lambda units: gradients[units], fault, None, noiseless=True)
    return np.array([np.linalg.norm(row) for row in world.releases([[unit] for unit in range(PROBED)])])
