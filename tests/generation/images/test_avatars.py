"""The simulator of faces: pure, with parts that change as the degree says."""

import numpy as np
import pytest
from support.errors import refused

from lib.data.images.decoding import Shape
from lib.generation.images import avatars
from lib.generation.images.avatars import KINDS, Avatars

SHAPE = Shape(32, 32, "RGB")


@pytest.fixture(scope="module")
def faces() -> Avatars:
    for name in avatars.PACKAGES:
        pytest.importorskip(name)
    return Avatars(SHAPE)


def test_a_picture_follows_from_its_parts_alone(faces: Avatars) -> None:
    rng = np.random.default_rng(0)
    face, other = faces.random("", rng), faces.random("", rng)
    picture = faces.render(face)
    assert picture.shape == (32, 32, 3) and picture.dtype == np.uint8 and np.ptp(picture) > 100
    assert (Avatars(SHAPE).render(face) == picture).all() and (faces.render(other) != picture).any()
    assert (picture[0, 0] == 255).all()  # the background
    grey = Avatars(Shape(16, 20, "L", background=0)).render(face)
    assert grey.shape == (20, 16) and grey[0, 0] == 0


def test_every_part_can_be_drawn(faces: Avatars) -> None:
    """No part raises, and the parts that are seen make a difference."""
    rng = np.random.default_rng(1)
    face = faces.random("", rng)
    for part in ("skin_color", "mouth", "nose", "clothing_color"):
        seen = {faces.render(type(face)(**face.__dict__ | {part: name})).tobytes() for name in faces.choices[part][:4]}
        assert seen
    for part, names in faces.choices.items():
        assert faces.render(type(face)(**face.__dict__ | {part: names[-1]})).shape == (32, 32, 3)


def test_a_variation_changes_as_many_parts_as_the_degree_says(faces: Avatars) -> None:
    rng = np.random.default_rng(0)
    parent = faces.random("", rng)
    assert faces.vary(parent, 0.0, rng) == parent
    made = [faces.vary(parent, 0.3, rng) for _ in range(400)]
    changed = np.mean([one.eyes != parent.eyes for one in made])
    assert changed == pytest.approx(0.3 * (1 - 1 / len(faces.choices["eyes"])), abs=0.07)
    assert {*KINDS} == {*parent.__dict__}


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str):
        raise ImportError

    monkeypatch.setattr(avatars, "import_module", missing)
    avatars._package.cache_clear()
    with refused("generation.package_missing", name="python_avatars") as error:
        Avatars(SHAPE)
    assert ".[images]" in error.value.remedy
    avatars._package.cache_clear()
