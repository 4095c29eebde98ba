"""Private evolution by a diffusion model: prompts of labels alone, black pictures drawn again, pixels kept."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.errors import refused
from support.image_toys import ARM

from lib.data.images.decoding import Shape, encode
from lib.methods.private_evolution.diffusion_api import DiffusionApi, Pixels

SHAPE = Shape(8, 8, "RGB")
LABELS = [{"kind": "cat"}, {"kind": "dog"}]


class Painter:
    """Paints one colour by its seed, and a parent's colour a little changed; the first ``black`` pictures are black."""

    fingerprint, drawing = "painter", SimpleNamespace(side=16)

    def __init__(self, black: int = 0) -> None:
        self.asked: list[str] = []
        self.black, self.strengths = black, []

    def write(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
        self.asked += prompts
        made = []
        for seed in seeds:
            colour = np.random.default_rng(seed).integers(50, 200, 3)
            if self.black:
                colour, self.black = np.zeros(3, int), self.black - 1
            made.append(np.broadcast_to(colour, (16, 16, 3)).astype(np.uint8))
        return made

    def vary(self, pictures, prompts, seeds, strength) -> list[np.ndarray]:
        assert all(picture.shape == (16, 16, 3) for picture in pictures)
        self.strengths.append(strength)
        return [np.clip(picture.astype(int) + 1, 0, 255).astype(np.uint8) for picture in pictures]


def test_pictures_are_asked_for_by_labels_and_kept_at_the_declared_shape() -> None:
    painter = Painter()
    api = DiffusionApi(painter, "a photo of a {kind}", SHAPE, seed=1)
    first = api.random(LABELS, 0)
    assert painter.asked == ["a photo of a cat", "a photo of a dog"] and {*first.items} == {0, 1}
    assert api.render(first.items[0]).shape == (8, 8, 3) and first.items[0] != first.items[1]
    assert api.random(LABELS, 0).items == first.items != api.random(LABELS, 1).items
    varied = api.vary([first.items[0]], LABELS[:1], 2, degree=0.4)
    assert painter.strengths == [0.4]
    assert (api.render(varied.items[0]).astype(int) - api.render(first.items[0]) == 1).all()


def test_black_pictures_are_drawn_again_and_counted_and_never_become_their_parent() -> None:
    made = DiffusionApi(Painter(black=1), "a {kind}", SHAPE, seed=1).random(LABELS, 0)
    assert {*made.items} == {0, 1} and made.rejected == {"black picture": 1}
    lost = DiffusionApi(Painter(black=100), "a {kind}", SHAPE, seed=1, max_attempts=2).random(LABELS, 0)
    assert lost.items == {} and lost.rejected == {"black picture": 4} and lost.requested == 2
    with refused("generation.nothing_accepted"):
        lost.require()


def test_pixels_are_kept_without_pickle(tmp_path: Path) -> None:
    items = [encode(p) for p in np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)]
    file, shelf = tmp_path / "generation-00.json", Pixels()
    assert shelf.put(items, file) == {} and [path.name for path in tmp_path.iterdir()] == ["generation-00.npz"]
    assert shelf.take({}, file) == items


def test_grey_pictures_are_not_drawn() -> None:
    with refused("generation.diffusion_in_colours"):
        DiffusionApi(Painter(), "a", Shape(8, 8, "L"), seed=0)


def test_a_stage_opens_a_model(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    from support.tiny_diffusion import build

    from lib.methods.private_evolution.image_api import open_images

    folder = build(tmp_path / "tiny")
    given = ARM | {"api": "diffusers", "model": str(folder), "prompt": "a {kind}"}
    opened = open_images(given, SHAPE)
    items = opened.api.random(LABELS, 0).items
    assert len(items) == 2 and opened.encoder.encode([items[0]]).shape == (1, 8 * 8 * 3)
    assert len(opened.api.vary([items[0]], LABELS[:1], 1, degree=0.5).items) == 1
