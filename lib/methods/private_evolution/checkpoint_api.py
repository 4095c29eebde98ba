"""A checkpoint of improved diffusion as RANDOM_API and VARIATION_API (Lin et al. 2024, with ImageNet's network).

The network knows classes of its own, not the labels of the corpus: a first picture is of a class that is drawn, and its
variations are of the same. An item is that class and the picture at the size at which the network draws; only when it
is looked at does it get the declared shape.
"""

import io
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from lib.common.files import write_atomic
from lib.data.images.decoding import Shape, decode, encode, read_pixels
from lib.generation.engines.base import Usage
from lib.generation.generate import Draws
from lib.generation.images.diffusion_checks import check_colours
from lib.methods.private_evolution.modality import Labels, Progress


class Classed(NamedTuple):
    """A picture and its class.

    Attributes:
        kind: the class, by its number.
        picture: a PNG file, in colours.
    """

    kind: int
    picture: bytes


class Model(Protocol):
    """What is needed of `lib.generation.images.improved_diffusion.ImprovedDiffusion`."""

    fingerprint: str
    kinds: int

    def write(self, kinds: Sequence[int], seeds: Sequence[int]) -> list[np.ndarray]: ...

    def vary(
        self, pictures: Sequence[np.ndarray], kinds: Sequence[int], seeds: Sequence[int], strength: float
    ) -> list[np.ndarray]: ...


class CheckpointApi:
    """The two APIs.

    Args:
        model: draws pictures.
        shape: that pictures are looked at in, in colours.
        seed: of all draws.

    Raises:
        DoppelError: the pictures are declared grey, which the model does not draw.
    """

    def __init__(self, model: Model, shape: Shape, seed: int):
        check_colours(shape)
        self.model, self.seed = model, seed
        self.shape = Shape(shape.width, shape.height, "RGB", "crop", shape.background)
        self.usage, self.fingerprint = Usage(), f"{model.fingerprint} {self.shape}"

    def random(self, labels: Sequence[Labels], *stream: int, progress: Progress = lambda made: None) -> Draws[Classed]:
        """As `lib.methods.private_evolution.modality.Api.random`; labels are not looked at."""
        draws = [self._generator(*stream, position) for position in range(len(labels))]
        kinds = [int(rng.integers(self.model.kinds)) for rng in draws]
        return self._made(lambda seeds: self.model.write(kinds, seeds), kinds, draws, progress)

    def vary(
        self,
        parents: Sequence[Classed],
        labels: Sequence[Labels],
        *stream: int,
        degree: float | None = None,
        shown: None = None,
        progress: Progress = lambda made: None,
    ) -> Draws[Classed]:
        """As `lib.methods.private_evolution.modality.Api.vary`; ``degree``, in (0, 1], is the share of steps anew."""
        draws = [self._generator(*stream, position) for position in range(len(parents))]
        kinds = [parent.kind for parent in parents]
        pictures = [read_pixels(parent.picture) for parent in parents]
        return self._made(lambda seeds: self.model.vary(pictures, kinds, seeds, degree), kinds, draws, progress)

    def render(self, item: Classed) -> np.ndarray:
        """The picture of an item, in the declared shape."""
        return decode(item.picture, self.shape, "a picture of the model")[0]

    def _made(
        self,
        ask: Callable[[Sequence[int]], list[np.ndarray]],
        kinds: Sequence[int],
        draws: Sequence[np.random.Generator],
        progress: Progress,
    ) -> Draws[Classed]:
        pictures = ask([int(rng.integers(2**31)) for rng in draws])
        progress(len(pictures))
        made = {place: Classed(kinds[place], encode(picture)) for place, picture in enumerate(pictures)}
        return Draws(made, len(kinds), Counter(), 0)

    def _generator(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *stream])


class ClassedPixels:
    """The shelf of such items: an npz file without pickle, next to the generation's own file."""

    def put(self, items: Sequence[Classed], beside: Path) -> dict[str, Any]:
        """As `lib.methods.private_evolution.modality.Shelf.put`."""
        file = io.BytesIO()
        pixels = np.stack([read_pixels(item.picture) for item in items])
        kinds = np.array([item.kind for item in items], np.int64)
        np.savez_compressed(file, pixels=pixels, kinds=kinds, allow_pickle=False)
        write_atomic(beside.with_suffix(".npz"), file.getvalue())
        return {}

    def take(self, kept: dict[str, Any], beside: Path) -> list[Classed]:
        """As `lib.methods.private_evolution.modality.Shelf.take`."""
        with np.load(beside.with_suffix(".npz"), allow_pickle=False) as arrays:
            pairs = zip(arrays["kinds"].tolist(), arrays["pixels"], strict=True)
            return [Classed(kind, encode(picture)) for kind, picture in pairs]
