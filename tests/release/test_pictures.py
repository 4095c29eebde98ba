"""A PNG file is of the declared shape and holds pixels alone; the same by Pillow's writer for every kind of picture."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from lib.data.images.decoding import encode
from lib.release.pictures import COLOURS, GREY, is_png


def png(mode: str = "L", size: tuple[int, int] = (14, 14), **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG", **options)
    return file.getvalue()


def beside(name: str) -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add(name.encode(), b"ward 7")
    return png(pnginfo=told)


def with_exif() -> bytes:
    told = Image.Exif()
    told[ExifTags.Base.ImageDescription] = "ward 7"
    return png(exif=told)


def with_pixels(raw: bytes) -> bytes:
    """A grey file of 14 x 14 whose rows are these bytes."""

    def chunk(name: bytes, part: bytes) -> bytes:
        return struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))

    header = struct.pack(">IIBBBBB", 14, 14, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", raw) + chunk(b"IEND", b"")


ROWS = bytes(14 * 15)


@pytest.mark.parametrize("shape", [(1, 1), (14, 9), (300, 200), (28, 28, 3), (300, 200, 3)])
def test_what_doppel_writes_is_read(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    colour = COLOURS if len(shape) == 3 else GREY
    data = encode(picture)
    assert is_png(data, shape[1], shape[0], colour)
    assert not is_png(data, shape[1] + 1, shape[0], colour) and not is_png(data, shape[1], shape[0], 2 - colour)


BAD = {
    "another size": png(size=(15, 14)),
    "colours": png("RGB"),
    "a palette": png("P"),
    "transparency": png("LA"),
    "16 bits": png("I;16"),
    "a text": beside("tEXt"),
    "a time": beside("tIME"),
    "EXIF": with_exif(),
    "a chunk of one's own": beside("waRd"),
    "bytes behind the end": png() + b"ward 7",
    "cut off": png()[:-20],
    "one byte changed": png()[:40] + bytes([png()[40] ^ 1]) + png()[41:],
    "pixels missing": with_pixels(zlib.compress(ROWS[:-1])),
    "pixels too many": with_pixels(zlib.compress(ROWS + b"w")),
    "bytes behind the pixels": with_pixels(zlib.compress(ROWS) + b"ward 7"),
    "a bomb": with_pixels(zlib.compress(bytes(50_000_000))),
    "no pixels": with_pixels(b"ward 7"),
    "another format": b"GIF89a" + bytes(100),
    "empty": b"",
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_picture_of_pixels_alone_is_seen(case: str) -> None:
    assert not is_png(BAD[case], 14, 14, GREY)


def test_the_file_that_the_bad_ones_were_made_of_is_good() -> None:
    assert is_png(png(), 14, 14, GREY) and is_png(with_pixels(zlib.compress(ROWS)), 14, 14, GREY)
