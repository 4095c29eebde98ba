"""The judge is a network that saw random renders alone."""

from dataclasses import replace

import numpy as np
import pytest
from support.image_toys import CORPUS

from lib.data.images.decoding import Shape
from lib.evaluation.images import space
from lib.evaluation.images.space import open_space
from lib.generation.images.digits import Digits
from lib.models.image_encoders import Pixels


def test_it_opens_by_name_and_sees_how_digits_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thin digits are nearest to thin ones, whatever digits they are."""
    monkeypatch.setattr(space, "PICTURES", 600)
    monkeypatch.setattr(space, "STEPS", 150)
    judge = open_space("renders:0", CORPUS)
    digits, rng = Digits(Shape.of(CORPUS)), np.random.default_rng(9)
    strokes = np.arange(40) % 2 * 0.08
    drawings = [replace(digits.random(f"{n % 10}", rng), font="DejaVuSans", stroke=s) for n, s in enumerate(strokes)]
    vectors = judge.encode(np.stack([digits.render(one) for one in drawings]))
    gaps = ((vectors[:, None] - vectors) ** 2).sum(axis=2)
    alike = strokes[:, None] == strokes
    assert gaps[~alike].mean() > 1.2 * gaps[alike & ~np.eye(40, dtype=bool)].mean()
    assert open_space("renders:1", CORPUS).fingerprint != judge.fingerprint
    assert isinstance(open_space("pixels:1.0", CORPUS), Pixels)
