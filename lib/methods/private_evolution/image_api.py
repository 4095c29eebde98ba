"""What makes pictures for private evolution: a simulator, a public set of pictures, or a diffusion model.

``render:digits`` draws digits and ``avatars`` faces (`lib.generation.images`); items are their parameters. ``nearest``
takes pictures of a set that somebody declares public (NearestImage of DPSDA): its items are numbers of pictures, a
variation is one of the nearest, and the degree says among how many. ``diffusers`` asks a model for them
(`lib.methods.private_evolution.diffusion_api`), ``improved-diffusion`` a checkpoint of the user's own
(`lib.methods.private_evolution.checkpoint_api`).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from typing import Any, Generic

import numpy as np

from lib.common.errors import DoppelError
from lib.data.images import parquet
from lib.data.images.decoding import Shape, decode, encode, read_pixels
from lib.data.images.private_image import ImageRecord, PrivateImage
from lib.generation.generate import Draws
from lib.generation.images.avatars import Avatars, Face
from lib.generation.images.checkpoint import locate
from lib.generation.images.diffusion import Diffusion, Sampling
from lib.generation.images.digits import Digits, Drawing
from lib.generation.images.improved_diffusion import ImprovedDiffusion
from lib.methods.private_evolution.checkpoint_api import CheckpointApi, ClassedPixels
from lib.methods.private_evolution.diffusion_api import DiffusionApi, Pixels
from lib.methods.private_evolution.drawn import Drawn
from lib.methods.private_evolution.modality import Labels, Listed, Modality, Progress, Shelf, T
from lib.methods.private_evolution.nearest_neighbours import nearest
from lib.models.image_encoders import ImageEncoder, open_image_encoder
from lib.privacy.disclosure import PUBLIC

FACES = Listed("faces", asdict, lambda kept: Face(**kept))
DRAWINGS = Listed("drawings", asdict, lambda kept: Drawing(**kept))
NUMBERS = Listed("numbers", int, int)
SHELVES = {
    "render:digits": DRAWINGS,
    "avatars": FACES,
    "nearest": NUMBERS,
    "diffusers": Pixels(),
    "improved-diffusion": ClassedPixels(),
}


class Rendered(Drawn[T]):
    """RANDOM_API and VARIATION_API of a simulator.

    Args:
        simulator: `Digits` or `Avatars`.
        text_label: name of the label whose value is written; None writes a digit that is drawn, where text is written.
        seed: of all draws.
    """

    def __init__(self, simulator: Digits | Avatars, text_label: str | None, seed: int):
        super().__init__(seed)
        self.simulator, self.text_label, self.fingerprint = simulator, text_label, simulator.fingerprint

    def random(self, labels: Sequence[Labels], *stream: int, progress: Progress = lambda made: None) -> Draws[T]:
        """As `lib.methods.private_evolution.modality.Api.random`."""

        def make(position: int, rng: np.random.Generator) -> T:
            written = str(rng.integers(10)) if self.text_label is None else labels[position][self.text_label]
            return self.simulator.random(written, rng)

        return self._each(make, len(labels), stream, progress)

    def vary(
        self,
        parents: Sequence[T],
        labels: Sequence[Labels],
        *stream: int,
        degree: float | None = None,
        shown: None = None,
        progress: Progress = lambda made: None,
    ) -> Draws[T]:
        """As `lib.methods.private_evolution.modality.Api.vary`; ``degree`` as `Digits.vary` takes it."""

        def make(position: int, rng: np.random.Generator) -> T:
            return self.simulator.vary(parents[position], degree, rng)

        return self._each(make, len(parents), stream, progress)

    def render(self, item: T) -> np.ndarray:
        """The picture of an item."""
        return self.simulator.render(item)


class Nearest(Drawn[int]):
    """RANDOM_API and VARIATION_API of a public set of pictures.

    Args:
        records: the m public pictures, of one shape.
        encoder: the space in which pictures are near.
        seed: of all draws.

    Raises:
        DoppelError: there are fewer than two pictures.
    """

    def __init__(self, records: Sequence[ImageRecord], encoder: ImageEncoder, seed: int):
        super().__init__(seed)
        if len(records) < 2:
            raise DoppelError(
                "methods.public_set_too_small",
                f"the public set has {len(records)} pictures, at least 2 are needed",
                name="api",
                value=len(records),
            )
        self.records, self.pictures = records, parquet.pixels(records)
        self.vectors = encoder.encode(self.pictures)
        pictures = " ".join(record.image.digest for record in records)
        self.fingerprint = hashlib.sha256(f"{encoder.fingerprint} {pictures}".encode()).hexdigest()

    def random(self, labels: Sequence[Labels], *stream: int, progress: Progress = lambda made: None) -> Draws[int]:
        """As `lib.methods.private_evolution.modality.Api.random`: of the public pictures with the labels wanted.

        Labels that the public set does not have are not looked at; where no picture has those that it does have, all
        pictures count.
        """

        def make(position: int, rng: np.random.Generator) -> int:
            fitting = self._fitting(labels[position])
            return int(fitting[rng.integers(len(fitting))])

        return self._each(make, len(labels), stream, progress)

    def vary(
        self,
        parents: Sequence[int],
        labels: Sequence[Labels],
        *stream: int,
        degree: float | None = None,
        shown: None = None,
        progress: Progress = lambda made: None,
    ) -> Draws[int]:
        """As `lib.methods.private_evolution.modality.Api.vary`: one of the ``degree`` nearest, never the parent."""
        if not parents:
            return Draws({}, 0, Counter(), 0)
        most = min(int(degree), len(self.records) - 1)
        different, place = np.unique(parents, return_inverse=True)
        near = nearest(self.vectors[different], self.vectors, most + 1)  # the parent itself is among them

        def make(position: int, rng: np.random.Generator) -> int:
            others = near[place[position]]
            return int(others[others != parents[position]][rng.integers(most)])

        return self._each(make, len(parents), stream, progress)

    def render(self, item: int) -> np.ndarray:
        """The picture of an item."""
        return self.pictures[item]

    def _fitting(self, labels: Labels) -> np.ndarray:
        """Numbers of the public pictures that have these labels, or of all."""
        known = {name: value for name, value in labels.items() if name in self.records[0].labels}
        fitting = [i for i, r in enumerate(self.records) if all(r.labels[name] == v for name, v in known.items())]
        return np.array(fitting or range(len(self.records)))


class _Seen(Generic[T]):
    """The encoder of items, which are rendered first, and of private pictures."""

    def __init__(self, encoder: ImageEncoder, render: Callable[[T], np.ndarray]):
        self.encoder, self.render, self.fingerprint = encoder, render, encoder.fingerprint

    def encode(self, items: Sequence[T | PrivateImage]) -> np.ndarray:
        return self.encoder.encode(np.stack([self._picture(item) for item in items]))

    def _picture(self, item: T | PrivateImage) -> np.ndarray:
        return read_pixels(item.reveal()) if isinstance(item, PrivateImage) else self.render(item)


ImageApi = Rendered | Nearest | DiffusionApi | CheckpointApi


def open_images(parameters: Mapping[str, Any], shape: Shape) -> Modality:
    """Open what makes pictures, and the space of the votes.

    Args:
        parameters: of 15_image_evolution, resolved.
        shape: of the private pictures, which is declared.

    Raises:
        DoppelError: an API, an encoder, a font or a public set that they name cannot be used.
    """
    encoder = open_image_encoder(parameters["encoder"])
    api = open_api(parameters, shape, encoder)
    return image_modality(api, SHELVES[parameters["api"]], encoder, shape)


def open_api(parameters: Mapping[str, Any], shape: Shape, encoder: ImageEncoder) -> ImageApi:
    """Open what makes pictures alone; arguments as `open_images` has them, and ``encoder`` says what is near."""
    if parameters["api"] == "nearest":
        return Nearest(public_pictures(parameters["public_pictures"], shape), encoder, parameters["seed"])
    if parameters["api"] == "diffusers":
        drawing = {name: parameters[name] for name in ("steps", "guidance", "side", "batch_size")}
        model = Diffusion(parameters["model"], Sampling(**drawing), device=parameters["device"])
        return DiffusionApi(model, parameters["prompt"], shape, parameters["seed"])
    if parameters["api"] == "improved-diffusion":
        sampling = Sampling(parameters["steps"], side=parameters["side"], batch_size=parameters["batch_size"])
        file, device = locate(parameters["model"]), parameters["device"]
        opened = ImprovedDiffusion(file, parameters["model_sha256"], sampling, device=device)
        return CheckpointApi(opened, shape, parameters["seed"])
    if parameters["api"] == "avatars":
        return Rendered(Avatars(shape), None, parameters["seed"])
    digits = Digits(shape, parameters["fonts"], parameters["ink"])
    return Rendered(digits, parameters["text_label"], parameters["seed"])


def image_modality(api: ImageApi, shelf: Shelf, encoder: ImageEncoder, shape: Shape) -> Modality:
    """Pictures, with an API and an encoder that are open already."""

    def record(id: str, item: Any, labels: Labels) -> ImageRecord:
        return ImageRecord(id, PrivateImage(encode(api.render(item)), (shape.width, shape.height)), labels)

    def voters(records: Sequence[ImageRecord], progress: Progress = lambda done: None) -> np.ndarray:
        vectors = encoder.encode(parquet.pixels(records))
        progress(len(records))
        return vectors

    return Modality(api, shelf, _Seen(encoder, api.render), record, lambda record: record.image, voters)


def check_overlap(api: Any, records: Sequence[ImageRecord]) -> None:
    """Refuse a public set that holds private pictures. The refusal comes before anything is released.

    Args:
        api: of a modality; one without a public set passes.
        records: the private pictures.

    Raises:
        DoppelError: a picture of the set is, pixel by pixel, a private one.
    """
    if not isinstance(api, Nearest):
        return
    shared = {record.image for record in api.records} & {record.image for record in records}
    if shared:
        raise DoppelError(
            "methods.public_set_overlaps",
            f"{len(shared):,} pictures of public_pictures are private ones, so the set is not public",
            name="public_pictures",
            remedy="take them out of the set, or name another",
        )


def public_pictures(declared: str, shape: Shape) -> list[ImageRecord]:
    """The pictures of a public set in the shape of the private ones.

    Args:
        declared: ``public:SOURCE``; `lib.privacy.public_source.undeclared` refuses the corpus itself.
        shape: declared.
    """
    # imported by name, because a stage's fingerprint follows import statements: a new source changes no picture
    sources = import_module("lib.data.sources")
    corpus = sources.load(declared.removeprefix(PUBLIC))
    made = []
    for number, record in enumerate(corpus.records, 1):
        picture, _ = decode(record.image.reveal(), shape, f"{corpus.name}, picture {number}")
        made.append(ImageRecord(record.id, PrivateImage(encode(picture), (shape.width, shape.height)), record.labels))
    return made
