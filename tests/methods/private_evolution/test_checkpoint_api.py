"""Private evolution by a checkpoint: classes are drawn and inherited, pictures keep the size that the network draws."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from support import tiny_checkpoint
from support.errors import refused
from support.image_toys import ARM

from lib.data.images.decoding import Shape
from lib.methods.private_evolution.checkpoint_api import CheckpointApi, ClassedPixels
from lib.methods.private_evolution.image_api import SHELVES, open_images

SHAPE = Shape(8, 8, "RGB")
LABELS = [{"kind": "cat"}, {"kind": "dog"}, {"kind": "cat"}]


class Painter:
    """Paints the class and the seed, and one level more for a variation."""

    fingerprint, kinds = "painter", 40

    def __init__(self) -> None:
        self.strengths: list[float] = []

    def write(self, kinds: Sequence[int], seeds: Sequence[int]) -> list[np.ndarray]:
        return [
            np.broadcast_to([kind, seed % 200, 0], (16, 16, 3)).astype(np.uint8)
            for kind, seed in zip(kinds, seeds, strict=True)
        ]

    def vary(self, pictures, kinds, seeds, strength) -> list[np.ndarray]:
        assert all(picture.shape == (16, 16, 3) for picture in pictures)
        assert [int(picture[0, 0, 0]) for picture in pictures] == kinds
        self.strengths.append(strength)
        return [picture + np.array([0, 0, 1], np.uint8) for picture in pictures]


def test_classes_are_drawn_and_a_variation_is_of_its_parents_class_and_size() -> None:
    painter = Painter()
    api = CheckpointApi(painter, SHAPE, seed=1)
    first = api.random(LABELS, 0)
    assert {*first.items} == {0, 1, 2} and len({item.kind for item in first.items.values()}) > 1
    assert api.random(LABELS, 0).items == first.items != api.random(LABELS, 1).items
    assert api.random(LABELS[:2], 0).items == {place: first.items[place] for place in (0, 1)}  # by place alone
    parents = [first.items[2], first.items[0], first.items[2]]
    varied = api.vary(parents, LABELS, 3, degree=0.7)
    assert painter.strengths == [0.7]
    assert [varied.items[place].kind for place in range(3)] == [parent.kind for parent in parents]
    assert api.render(first.items[0]).shape == (8, 8, 3)  # and yet what is varied was of 16 x 16
    assert (api.render(varied.items[1]).astype(int) - api.render(parents[1]) == [0, 0, 1]).all()


def test_items_are_kept_without_pickle(tmp_path: Path) -> None:
    items, shelf = [*CheckpointApi(Painter(), SHAPE, seed=1).random(LABELS, 0).items.values()], ClassedPixels()
    assert shelf.put(items, tmp_path / "generation-00.json") == {}
    assert [path.name for path in tmp_path.iterdir()] == ["generation-00.npz"]
    assert shelf.take({}, tmp_path / "generation-00.json") == items


def test_grey_pictures_are_not_drawn() -> None:
    with refused("generation.diffusion_in_colours"):
        CheckpointApi(Painter(), Shape(8, 8, "L"), seed=0)


def test_a_stage_opens_a_checkpoint(tmp_path: Path) -> None:
    file, digest = tiny_checkpoint.build(tmp_path)
    given = ARM | {"api": "improved-diffusion", "model": str(file), "model_sha256": digest}
    opened = open_images(given, SHAPE)
    items = [*opened.api.random(LABELS, 0).items.values()]
    assert opened.encoder.encode(items).shape == (3, 8 * 8 * 3) and opened.shelf is SHELVES["improved-diffusion"]
    assert opened.record("a", items[0], LABELS[0]).image.size == (8, 8)
    assert len(opened.api.vary(items[:1], LABELS[:1], 1, degree=0.5).items) == 1
    with refused("generation.checkpoint_hash", name="model_sha256"):
        open_images(given | {"model_sha256": "0" * 64}, SHAPE)
