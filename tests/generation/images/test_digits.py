"""The simulator of digits: pure, within its ranges, true to its parameters, and with fonts that have digits."""

from dataclasses import astuple, replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from support.errors import refused

from lib.data.images.decoding import Shape
from lib.generation.images.digits import FONTS, RANGES, Digits, Drawing

SHAPE = Shape(28, 28, "L", background=0)
PLAIN = Drawing("7", "DejaVuSans", 0.7, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits(SHAPE)


def centre(picture: np.ndarray) -> np.ndarray:
    """Of the ink: down, across."""
    ink = picture / picture.sum()
    return np.array([(ink.sum(axis=1) * np.arange(28)).sum(), (ink.sum(axis=0) * np.arange(28)).sum()])


def extent(picture: np.ndarray) -> tuple[int, int]:
    """Rows and columns with ink."""
    return int((picture.max(axis=1) > 60).sum()), int((picture.max(axis=0) > 60).sum())


def test_every_font_draws_every_digit_with_ink(digits: Digits) -> None:
    assert [*digits.fonts] == [*FONTS]
    for font in FONTS:
        pictures = [digits.render(replace(PLAIN, text=d, font=font)) for d in "0123456789"]
        assert all(p.max() > 150 and 8 <= extent(p)[0] <= 26 for p in pictures)
        assert len({p.tobytes() for p in pictures}) == 10


def test_a_picture_follows_from_its_parameters_alone(digits: Digits) -> None:
    drawing = digits.random("3", np.random.default_rng(0))
    picture = digits.render(drawing)
    assert picture.shape == (28, 28) and picture.dtype == np.uint8
    assert (Digits(SHAPE).render(drawing) == picture).all()
    dark = Digits(Shape(28, 28, "RGB", background=255), ink=0).render(drawing)
    assert dark.shape == (28, 28, 3) and np.abs(dark[:, :, 1].astype(int) - (255 - picture)).max() <= 1


def test_each_parameter_does_what_it_says(digits: Digits) -> None:
    plain = digits.render(PLAIN)
    assert centre(digits.render(replace(PLAIN, across=0.1)))[1] - centre(plain)[1] == pytest.approx(2.8, abs=0.2)
    assert centre(digits.render(replace(PLAIN, down=0.1)))[0] - centre(plain)[0] == pytest.approx(2.8, abs=0.2)
    assert extent(digits.render(replace(PLAIN, size=0.9)))[0] > extent(plain)[0] > 16
    assert digits.render(replace(PLAIN, stroke=0.08)).sum() > 1.4 * plain.sum()
    leaning = digits.render(replace(PLAIN, shear=0.6))
    top, bottom = leaning[:10].sum(axis=0), leaning[18:].sum(axis=0)
    assert (top * np.arange(28)).sum() / top.sum() - (bottom * np.arange(28)).sum() / bottom.sum() > 5
    turned = digits.render(replace(PLAIN, text="1", font="DejaVuSans", rotation=30.0))
    upper, lower = turned[:12].sum(axis=0), turned[16:].sum(axis=0)  # counter-clockwise: the top goes left
    assert (upper * np.arange(28)).sum() / upper.sum() < (lower * np.arange(28)).sum() / lower.sum() - 3


def test_a_variation_is_as_near_as_its_degree(digits: Digits) -> None:
    rng = np.random.default_rng(0)
    parent = digits.random("5", rng)
    assert digits.vary(parent, 0.0, rng) == parent
    for degree in (0.1, 0.5):
        made = [digits.vary(parent, degree, rng) for _ in range(600)]
        other = np.mean([one.font != parent.font for one in made])
        assert other == pytest.approx(degree * 19 / 20, abs=0.07) and {one.text for one in made} == {"5"}
        numbers = np.array([astuple(one)[2:] for one in made])
        for column, (low, high) in zip(numbers.T, RANGES.values(), strict=True):
            assert low <= column.min() and column.max() <= high
    moved = np.array([digits.vary(PLAIN, 0.1, rng).rotation for _ in range(600)])
    assert moved.std() == pytest.approx(0.1 * 30, rel=0.12)


def test_fonts_that_cannot_write_digits_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for blank in ("DejaVuSansDisplay", "DejaVuSerifDisplay"):  # they have the digits, all blank
        with refused("generation.font_without_digits", value=blank):
            Digits(SHAPE, [str(folder / f"{blank}.ttf")])
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    with refused("generation.font_without_digits", name="fonts"):
        Digits(SHAPE, [str(tmp_path / "broken.ttf")])
    with refused("generation.no_font", value="Helvetica"):
        Digits(SHAPE, ["Helvetica"])
    with monkeypatch.context() as patch:
        patch.setattr(matplotlib, "get_data_path", lambda: str(tmp_path))  # a matplotlib without fonts
        with refused("generation.no_font", name="fonts"):
            Digits(SHAPE)
    assert Digits(SHAPE, ["cmr10"]).fingerprint != Digits(SHAPE, ["cmss10"]).fingerprint
