"""The judge is a network that saw random renders alone."""

import numpy as np
import pytest
from support.image_toys import CORPUS

from lib.evaluation.images import space
from lib.evaluation.images.space import open_space
from lib.models.image_encoders import Pixels


def test_it_opens_by_name_and_tells_digits_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "PICTURES", 400)
    monkeypatch.setattr(space, "STEPS", 60)
    judge = open_space("renders:0", CORPUS)
    digits, rng = space.Digits(space.shape_of(CORPUS)), np.random.default_rng(9)
    made = np.stack([digits.render(digits.random(digit, rng)) for digit in "01" * 20])
    vectors = judge.encode(made)
    gaps = ((vectors[:, None] - vectors) ** 2).sum(axis=2) + 1e9 * np.eye(40)
    assert (gaps.argmin(axis=1) % 2 == np.arange(40) % 2).mean() > 0.8
    assert open_space("renders:1", CORPUS).fingerprint != judge.fingerprint
    assert isinstance(open_space("pixels:1.0", CORPUS), Pixels)
