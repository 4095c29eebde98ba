"""A kind of data that can be evolved: what makes its items, what keeps them, what turns them into vectors.

The loop (`lib.methods.private_evolution.evolution`), votes, noise, selection and audit know no kind of data. They see
items, which are texts, or the parameters of a picture, and ask a `Modality` for all else.
`lib.methods.private_evolution.modalities` is the one place that names the kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.generation.generate import Draws
from lib.generation.prompt_parts import Shown
from lib.models import encoders

T = TypeVar("T")  # an item
Labels = Mapping[str, str]
Progress = Callable[[int], object]


class Api(Protocol[T]):
    """RANDOM_API and VARIATION_API (Lin et al. 2024). It sees labels and synthetic items, never a private record.

    Attributes:
        fingerprint: tells apart what makes other items of the same call, or another picture of the same item.
        usage: what was spent so far; its ``cost`` is in money, 0 where nothing is paid.
    """

    fingerprint: str
    usage: Any

    def random(self, labels: Sequence[Labels], *stream: int, progress: Progress = ...) -> Draws[T]:
        """A new item for each label set; draws depend on the seed, ``stream`` and the position alone."""

    def vary(
        self,
        parents: Sequence[T],
        labels: Sequence[Labels],
        *stream: int,
        degree: float | None = None,
        shown: Sequence[Shown] | None = None,
        progress: Progress = ...,
    ) -> Draws[T]:
        """A variation of each parent.

        Args:
            parents: synthetic items.
            labels: label set of each.
            stream: as `random` takes it.
            degree: how far a variation may be from its parent; an API of texts takes none.
            shown: other candidates that each variation may be made like; an API of images takes none.
            progress: called with the number of items newly made.
        """


class Shelf(Protocol[T]):
    """Keeps the items of a generation, whose labels and parents stand in a JSON file."""

    def put(self, items: Sequence[T], beside: Path) -> dict[str, Any]:
        """Keep items, in the JSON file ``beside`` or next to it; returns what the file has to hold for that."""

    def take(self, kept: dict[str, Any], beside: Path) -> list[T]:
        """The items again; what `put` returned is removed from ``kept``, the content of the file ``beside``."""


class Encoder(Protocol[T]):
    """Turns items, and private records of their kind, into vectors of one space.

    Attributes:
        fingerprint: tells encoders apart by their content.
    """

    fingerprint: str

    def encode(self, items: Sequence[Any]) -> np.ndarray:
        """Vectors, float32, shape (items, width). A vector depends on its own item alone."""


class Listed:
    """The shelf of items that JSON can hold, a list in the generation's own file.

    Args:
        name: of the list.
        pack: makes JSON of an item.
        unpack: makes the item again.
    """

    def __init__(self, name: str, pack: Callable[[T], Any], unpack: Callable[[Any], T]):
        self.name, self.pack, self.unpack = name, pack, unpack

    def put(self, items: Sequence[T], beside: Path) -> dict[str, Any]:
        """As `Shelf.put`."""
        return {self.name: [*map(self.pack, items)]}

    def take(self, kept: dict[str, Any], beside: Path) -> list[T]:
        """As `Shelf.take`."""
        return [*map(self.unpack, kept.pop(self.name))]


TEXTS = Listed("texts", str, str)


@dataclass(frozen=True)
class Modality(Generic[T]):
    """A kind of data, opened.

    Attributes:
        api: makes items and variations of them.
        shelf: keeps them.
        encoder: the space of the votes.
        record: (id, item, labels) -> the synthetic record.
        private: what ``encoder`` takes of a private record.
        voters: private records -> their vectors by ``encoder``, float32, shape (n, width). It takes ``progress``, which
            is called with the number of records newly done.
    """

    api: Api[T]
    shelf: Shelf[T]
    encoder: Encoder[T]
    record: Callable[[str, T, Labels], Any]
    private: Callable[[Any], Any]
    voters: Callable[..., np.ndarray]


def text_modality(api: Api[str] | None, encoder: Encoder[str], *, cached: bool = True) -> Modality[str]:
    """Texts, with an API and an encoder that are open already.

    Args:
        api: None where nothing is varied.
        encoder: the space of the votes.
        cached: whether vectors of private texts are kept on the disk, as those of a slow encoder are.
    """

    def voters(records: Sequence[Record], progress: Progress = lambda done: None) -> np.ndarray:
        texts = [record.text for record in records]
        if cached:
            return encoders.embed_private(encoder, texts, progress=progress)
        progress(len(texts))
        return encoder.encode(texts)

    return Modality(api, TEXTS, encoder, text_record, lambda record: record.text, voters)


def text_record(id: str, text: str, labels: Labels) -> Record:
    """The synthetic record of a text."""
    return Record(id, PrivateText(text), labels)
