"""Image files of every bad kind are refused without a pixel in the message, and the others take the declared shape."""

import io
import struct
import traceback
import zlib

import numpy as np
import pytest
from PIL import Image
from support.errors import refused

from lib.common.errors import DoppelError
from lib.data.images.decoding import MAX_PIXELS, Shape, decode, encode, read_pixels

GREY, COLOURS = Shape(6, 4, "L"), Shape(6, 4, "RGB")
RAMP = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def claimed(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


PICTURE = Image.fromarray(RAMP)
LARGE = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
BAD = {
    "empty": (b"", "data.image_empty"),
    "no image": (b"name,value\n1,2\n", "data.no_image"),
    "a program for another reader": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 4\n", "data.no_image"),
    "cut off": (saved(Image.fromarray(LARGE))[:2000], "data.image_damaged"),
    "cut off JPEG": (saved(Image.fromarray(LARGE), "JPEG")[:700], "data.image_damaged"),
    "a bomb": (claimed(60_000, 60_000), "data.image_too_large"),
    "a little too large": (claimed(MAX_PIXELS // 1000 + 1, 1000), "data.image_too_large"),
    "animated": (
        saved(PICTURE, "GIF", save_all=True, append_images=[Image.fromarray(255 - RAMP)]),
        "data.image_animated",
    ),
    "of another size": (saved(PICTURE.resize((7, 4))), "data.image_size"),
    "floats": (saved(Image.fromarray(RAMP.astype(np.float32)), "TIFF"), "data.image_mode"),
    "32 bits": (saved(Image.fromarray(RAMP.astype(np.int32)), "TIFF"), "data.image_mode"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_and_nothing_of_it_is_shown(kind: str) -> None:
    data, code = BAD[kind]
    with refused(code, name="image") as error:
        decode(data, GREY, "folder, file 3")
    assert error.value.where == "folder, file 3" and error.value.remedy
    shown = "".join(traceback.format_exception(error.value)) + repr(vars(error.value))
    assert "[[" not in shown and "\\x" not in shown


def test_every_mode_becomes_the_declared_one() -> None:
    """A white picture stays white and a ramp a ramp, whatever the file has."""
    for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr"):
        form = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
        white = Image.new("L", (6, 4), 255).convert("RGB").convert(mode)
        for shape in (GREY, COLOURS):
            picture, _ = decode(saved(white, form), shape, "x")
            assert picture.shape == shape.array and picture.dtype == np.uint8 and picture.min() >= 250
    picture, done = decode(saved(PICTURE.convert("P")), GREY, "x")
    assert np.abs(picture.astype(int) - RAMP).max() <= 1 and done == ["P to L"]
    picture, done = decode(saved(Image.fromarray(RAMP.astype(np.uint16) * 257)), GREY, "x")
    assert (picture == RAMP).all() and done == ["16 bits to 8"]
    assert decode(saved(PICTURE), GREY, "x")[1] == []


def test_what_is_transparent_becomes_the_background() -> None:
    image = Image.new("RGBA", (6, 4), (255, 0, 0, 0))
    for background in (255, 0):
        picture, done = decode(saved(image), Shape(6, 4, "RGB", background=background), "x")
        assert (picture == background).all() and done == ["transparency filled"]
    grey = Image.new("L", (6, 4), 10)
    picture, _ = decode(saved(grey, transparency=10), GREY, "x")
    assert (picture == 255).all()


def test_a_picture_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    picture, done = decode(saved(PICTURE, "PNG", exif=exif), Shape(4, 6, "L"), "x")
    assert (picture == np.rot90(RAMP, -1)).all() and done == ["turned upright"]


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_other_sizes_are_scaled_where_that_is_declared(fit: str) -> None:
    wide = Image.new("L", (40, 10), 100)
    picture, done = decode(saved(wide), Shape(6, 4, "L", fit=fit, background=7), "x")
    assert picture.shape == (4, 6) and done == ["scaled"]
    assert set(np.unique(picture)) == ({100} if fit == "crop" else {7, 100})


def test_a_png_holds_the_pixels_and_nothing_else() -> None:
    colours = np.stack([RAMP, RAMP // 2, 255 - RAMP], axis=2)
    for pixels in (RAMP, colours):
        assert (read_pixels(encode(pixels)) == pixels).all()
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    with_data, _ = decode(saved(PICTURE, "PNG", exif=exif), GREY, "x")
    assert encode(with_data) == encode(RAMP) and b"camera" not in encode(with_data)


def test_random_bytes_behind_a_header_raise_nothing_but_refusals() -> None:
    rng = np.random.default_rng(1)
    whole = [saved(Image.fromarray(LARGE), form) for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")]
    for number in range(60):
        data = bytearray(whole[number % len(whole)])
        places = rng.integers(8, len(data), 40)
        for place in places:
            data[place] = rng.integers(256)
        try:
            decode(bytes(data), Shape(64, 64, "L"), "x")
        except DoppelError as error:
            assert error.code.startswith("data.")
