"""Pictures by an improved-diffusion checkpoint of the user's own, drawn by DDIM (Song et al. 2021, arXiv:2010.02502).

As DPSDA draws them: 4,000 steps with cosine noise (Nichol & Dhariwal 2021), of which `Sampling.steps` are taken, no
noise in between, and pixels kept in their range. A file is read as tensors alone, and its hash must be the declared
one: whoever can write a pickle can run code where it is opened.
"""

import math
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from lib.common.errors import DoppelError
from lib.common.files import sha256
from lib.generation.images.batches import Batches
from lib.generation.images.checkpoint import missing
from lib.generation.images.diffusion import Sampling
from lib.generation.images.improved_unet import Network
from lib.models import loading
from lib.models.loading import Device

SCHEDULE = 4000  # steps that such networks were trained on


class ImprovedDiffusion:
    """A checkpoint, opened.

    Args:
        checkpoint: a file of tensors by name, as ``torch.save`` or safetensors writes it (by the ending
            ``.safetensors``).
        digest: its sha256, as whoever publishes it tells.
        drawing: how pictures are drawn; ``guidance`` is not used.
        device: as `lib.models.loading.resolve_device` takes it. Numbers are float32 on every device.

    Raises:
        DoppelError: there is no such file, it has another hash, it holds anything but tensors, or these are no network
            of this kind.
    """

    def __init__(self, checkpoint: Path, digest: str | None, drawing: Sampling, *, device: Device = "auto"):
        self.device, self.drawing = loading.resolve_device(device), drawing
        self.batches = Batches(drawing.batch_size, drawing.side)
        self.network = Network(read(checkpoint, digest)).to(self.device).eval()
        self.kinds = max(self.network.classes, 1)
        taken = [round(place) for place in np.linspace(0, SCHEDULE - 1, drawing.steps)] if drawing.steps > 1 else [0]
        self.taken, self.left = taken, left(SCHEDULE)[taken]
        self.fingerprint = f"improved-diffusion {digest} {drawing.steps} {drawing.side}"

    def write(self, kinds: Sequence[int], seeds: Sequence[int]) -> list[np.ndarray]:
        """A picture for each of n classes, each in [0, `kinds`), with a seed of its own: uint8, (side, side, 3)."""
        return self.batches(lambda rows: self._draw(kinds[rows], seeds[rows], len(self.taken)), len(kinds))

    def vary(
        self, pictures: Sequence[np.ndarray], kinds: Sequence[int], seeds: Sequence[int], strength: float
    ) -> list[np.ndarray]:
        """A variation of each of n pictures: noised, and denoised again.

        Args:
            pictures: uint8, (side, side, 3) each.
            kinds: the class of each.
            seeds: of each.
            strength: in (0, 1]: the share of the steps that is done anew, one at least.
        """
        steps = max(1, round(strength * len(self.taken)))

        def draw(rows: slice) -> np.ndarray:
            given = torch.from_numpy(np.stack(pictures[rows])).permute(0, 3, 1, 2).to(self.device) / 127.5 - 1
            return self._draw(kinds[rows], seeds[rows], steps, given)

        return self.batches(draw, len(pictures))

    @torch.inference_mode()
    def _draw(
        self, kinds: Sequence[int], seeds: Sequence[int], steps: int, given: torch.Tensor | None = None
    ) -> np.ndarray:
        """Pictures from 0 to 1 after so many steps from noise, or from a noisy picture."""
        shape, device = (3, self.drawing.side, self.drawing.side), self.device
        noise = torch.stack([torch.randn(shape, generator=torch.Generator("cpu").manual_seed(s)) for s in seeds])
        flowing, told = noise.to(device), torch.tensor(kinds, device=device)
        if given is not None:
            start = self.left[steps - 1]
            flowing = math.sqrt(start) * given + math.sqrt(1 - start) * flowing
        for place in reversed(range(steps)):
            step = torch.full((len(seeds),), self.taken[place], device=device)
            left, after = self.left[place], self.left[place - 1] if place else 1.0
            told_noise = self.network(flowing, step, told if self.network.classes else None)
            clean = ((flowing - math.sqrt(1 - left) * told_noise) / math.sqrt(left)).clamp(-1, 1)
            told_noise = (flowing - math.sqrt(left) * clean) / math.sqrt(1 - left)
            flowing = math.sqrt(after) * clean + math.sqrt(1 - after) * told_noise
        return ((flowing + 1) / 2).permute(0, 2, 3, 1).cpu().numpy()


def left(steps: int) -> np.ndarray:
    """How much of a picture's variance is left after each of ``steps`` (cosine noise), float64, falling."""

    def cosine(share: float) -> float:
        return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2

    lost = [min(1 - cosine((step + 1) / steps) / cosine(step / steps), 0.999) for step in range(steps)]
    return np.cumprod(1 - np.array(lost))


def read(checkpoint: Path, digest: str | None) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint.

    Args:
        checkpoint: as `ImprovedDiffusion` takes it.
        digest: its sha256.

    Raises:
        DoppelError: as of `ImprovedDiffusion`.
    """
    if not checkpoint.is_file():
        raise missing(checkpoint)
    if sha256(checkpoint) != digest:
        sentence = f"{checkpoint.name} has another sha256 than model_sha256 declares, so it was not opened"
        remedy = "download it again, or ask whoever publishes it for the hash"
        raise DoppelError("generation.checkpoint_hash", sentence, name="model_sha256", remedy=remedy)
    try:
        if checkpoint.suffix == ".safetensors":
            weights = load_file(checkpoint)
        else:
            weights = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, SafetensorError, RuntimeError, ValueError, EOFError, OSError) as error:
        raise _no_tensors(checkpoint, type(error).__name__) from None
    if not isinstance(weights, dict) or not all(isinstance(one, torch.Tensor) for one in weights.values()):
        raise _no_tensors(checkpoint, "other content")
    return weights


def _no_tensors(checkpoint: Path, what: str) -> DoppelError:
    return DoppelError(
        "generation.checkpoint_no_tensors",
        f"{checkpoint.name} holds more, or something else, than tensors by name ({what}), and was not opened further",
        name="model",
        remedy="save the state dict of the network alone, or write it as safetensors",
    )
