"""A latent diffusion model as RANDOM_API and VARIATION_API of private evolution (Lin et al. 2024).

Text to image invents, image to image varies; the degree is the strength of a variation. An item is a PNG file of the
picture at the declared shape. What the model sees are prompts made of labels, and pictures that it made before.
"""

import io
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lib.common.files import write_atomic
from lib.data.images.decoding import Shape, decode, encode, read_pixels
from lib.generation.engines.base import Usage
from lib.generation.generate import Draws
from lib.generation.images.diffusion_checks import check_colours
from lib.methods.private_evolution.modality import Labels, Progress

BLACK = 4  # the greatest level in a picture that counts as black: what a safety checker gives


class Model(Protocol):
    """What is needed of `lib.generation.images.diffusion.Diffusion`."""

    fingerprint: str
    drawing: Any

    def write(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]: ...

    def vary(
        self, pictures: Sequence[np.ndarray], prompts: Sequence[str], seeds: Sequence[int], strength: float
    ) -> list[np.ndarray]: ...


class DiffusionApi:
    """The two APIs.

    Args:
        model: draws pictures.
        prompt: what it is asked for, with labels in braces: ``a photo of a {kind}``.
        shape: of the pictures that are kept, in colours.
        seed: of all draws.
        max_attempts: rounds in which a picture that came out black is drawn again, at least 1.

    Raises:
        DoppelError: the pictures are declared grey, which the model does not draw.
    """

    def __init__(self, model: Model, prompt: str, shape: Shape, seed: int, max_attempts: int = 3):
        check_colours(shape)
        self.model, self.prompt, self.seed, self.max_attempts = model, prompt, seed, max_attempts
        self.shape = Shape(shape.width, shape.height, "RGB", "crop", shape.background)
        self.usage, self.fingerprint = Usage(), f"{model.fingerprint} {self.shape}"

    def random(self, labels: Sequence[Labels], *stream: int, progress: Progress = lambda made: None) -> Draws[bytes]:
        """As `lib.methods.private_evolution.modality.Api.random`."""

        def ask(rows: Sequence[int], prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
            return self.model.write(prompts, seeds)

        return self._draw(ask, labels, stream, progress)

    def vary(
        self,
        parents: Sequence[bytes],
        labels: Sequence[Labels],
        *stream: int,
        degree: float | None = None,
        shown: None = None,
        progress: Progress = lambda made: None,
    ) -> Draws[bytes]:
        """As `lib.methods.private_evolution.modality.Api.vary`; ``degree``, in (0, 1], is the strength."""
        native = Shape(self.model.drawing.side, self.model.drawing.side, "RGB", "crop", self.shape.background)

        def ask(rows: Sequence[int], prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
            pictures = [decode(parents[row], native, "a picture of the model")[0] for row in rows]
            return self.model.vary(pictures, prompts, seeds, degree)

        return self._draw(ask, labels, stream, progress)

    def render(self, item: bytes) -> np.ndarray:
        """The picture of an item."""
        return read_pixels(item)

    def _draw(
        self,
        ask: Callable[[Sequence[int], Sequence[str], Sequence[int]], list[np.ndarray]],
        labels: Sequence[Labels],
        stream: Sequence[int],
        progress: Progress,
    ) -> Draws[bytes]:
        """A picture for each position; black ones are rejected, and drawn again with other seeds."""
        items: dict[int, bytes] = {}
        rejected: Counter[str] = Counter()
        for attempt in range(self.max_attempts):
            missing = [position for position in range(len(labels)) if position not in items]
            if not missing:
                break
            prompts = [self.prompt.format(**labels[position]) for position in missing]
            seeds = [self._seed_of(*stream, attempt, position) for position in missing]
            for position, picture in zip(missing, ask(missing, prompts, seeds), strict=True):
                if picture.max() <= BLACK:
                    rejected["black picture"] += 1
                    continue
                items[position] = encode(decode(encode(picture), self.shape, "a picture of the model")[0])
                progress(1)
        return Draws(items, len(labels), rejected, 0)

    def _seed_of(self, *stream: int) -> int:
        return int(np.random.SeedSequence([self.seed, *stream]).generate_state(1)[0])


class Pixels:
    """The shelf of pictures: an npz file without pickle, next to the generation's own file."""

    def put(self, items: Sequence[bytes], beside: Path) -> dict[str, Any]:
        """As `lib.methods.private_evolution.modality.Shelf.put`."""
        file = io.BytesIO()
        np.savez_compressed(file, pixels=np.stack([read_pixels(item) for item in items]), allow_pickle=False)
        write_atomic(beside.with_suffix(".npz"), file.getvalue())
        return {}

    def take(self, kept: dict[str, Any], beside: Path) -> list[bytes]:
        """As `lib.methods.private_evolution.modality.Shelf.take`."""
        with np.load(beside.with_suffix(".npz"), allow_pickle=False) as arrays:
            return [encode(picture) for picture in arrays["pixels"]]
