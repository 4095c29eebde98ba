"""Pictures inside a page: whole while there is room, on white, with few colours, and in the size of a plot."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from lib.report.images import SHOWN, WIDEST, Album, Figure


def picture(path: Path, width: int = 300, mode: str = "RGBA") -> Figure:
    """Noise beside a side that is transparent."""
    pixels = np.random.default_rng(0).integers(0, 256, (100, width, 4), np.uint8)
    pixels[:, : width // 2] = 0
    Image.fromarray(pixels).convert(mode).save(path)
    return Figure(path, "Title", "What it shows.", "Up is better.")


def shown(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,"))))


def test_a_picture_is_embedded_on_white_with_few_colours(tmp_path: Path) -> None:
    embedded = Album(10**6).embed(picture(tmp_path / "a.png"))
    assert (embedded.title, embedded.alt, embedded.caption) == ("Title", "What it shows.", "Up is better.")
    assert (embedded.width, embedded.height) == (round(300 * SHOWN), round(100 * SHOWN))
    image = shown(embedded.uri)
    assert len(image.getcolors()) <= 256 and image.convert("RGB").getpixel((10, 10)) == (255, 255, 255)


def test_a_wide_picture_is_made_smaller_and_keeps_its_shape(tmp_path: Path) -> None:
    embedded = Album(10**7).embed(picture(tmp_path / "a.png", width=2 * WIDEST, mode="RGB"))
    assert shown(embedded.uri).size == (WIDEST, 50) and embedded.width == round(2 * WIDEST * SHOWN)


def test_what_does_not_fit_leaves_room_for_a_smaller_one(tmp_path: Path) -> None:
    large, small = picture(tmp_path / "large.png", 900), picture(tmp_path / "small.png", 100)
    album = Album(len(Album(10**6).embed(small).uri))
    assert album.embed(large).uri is None
    assert album.embed(small).uri is not None and album.left == 0
    assert album.embed(small).uri is None and Album(0).embed(small).uri is None


def test_a_picture_that_was_drawn_again_is_read_again(tmp_path: Path) -> None:
    figure, album = picture(tmp_path / "a.png"), Album(10**6)
    first = album.embed(figure)
    assert album.embed(figure) == first
    picture(tmp_path / "a.png", width=100)
    assert album.embed(figure) != first
