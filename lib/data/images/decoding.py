"""Image files as arrays of one declared shape, and back. What happens to a picture depends on that picture alone.

A file is opened as one of `FORMATS` only: other readers of Pillow start programs, or follow links.
"""

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from lib.common.errors import DoppelError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
MAX_PIXELS = 64_000_000  # of one picture: a larger one would need gigabytes to look at
GREY_16 = ("I;16", "I;16L", "I;16B", "I;16N")
READABLE = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", *GREY_16)
Fit = Literal["refuse", "crop", "pad"]
Mode = Literal["L", "RGB"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What every picture is made to be. It is declared, never read off private pictures.

    Attributes:
        width: pixels, at least 1.
        height: pixels, at least 1.
        mode: ``L`` for grey, ``RGB`` for colours.
        fit: a picture of another size is refused (``refuse``), scaled and cut on both sides (``crop``), or scaled and
            set in the middle of ``background`` (``pad``).
        background: grey level behind what is transparent, and beside what is padded, in [0, 255].
    """

    width: int
    height: int
    mode: Mode = "RGB"
    fit: Fit = "refuse"
    background: int = 255

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Shape":
        """The shape that the parameters of a stage of 00_process_images declare."""
        mode = "RGB" if parameters["colours"] else "L"
        return cls(parameters["width"], parameters["height"], mode, parameters["fit"], parameters["background"])

    @property
    def array(self) -> tuple[int, ...]:
        """The shape of a picture's array: (height, width), or (height, width, 3) with colours."""
        return (self.height, self.width) if self.mode == "L" else (self.height, self.width, 3)


def decode(data: bytes, shape: Shape, where: str) -> tuple[np.ndarray, list[str]]:
    """A picture as an array, turned upright as its EXIF data say, in the declared mode and size.

    Args:
        data: of an image file.
        shape: declared.
        where: which file it is, for refusals; must not say anything private.

    Returns:
        The pixels, uint8, of ``shape.array``; and what had to be done to the picture, in words.

    Raises:
        DoppelError: the file is empty, cut off, no image, of more than `MAX_PIXELS`, animated, of numbers without a
            known range, or of another size where that is refused. Nothing of the picture is shown.
    """
    image = _open(data, where)
    done = []
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
        done.append("turned upright")
    if image.mode in GREY_16:
        image = Image.fromarray((np.asarray(image).astype(np.uint32) // 257).astype(np.uint8))
        done.append("16 bits to 8")
    if image.has_transparency_data:
        behind = Image.new("RGBA", image.size, (shape.background,) * 3 + (255,))
        image = Image.alpha_composite(behind, image.convert("RGBA")).convert("RGB")
        done.append("transparency filled")
    if image.mode != shape.mode:
        done.append(f"{image.mode} to {shape.mode}")
        image = image.convert("RGB").convert(shape.mode)
    if image.size != (shape.width, shape.height):
        image = _fitted(image, shape, where)
        done.append("scaled")
    return np.asarray(image), done


def encode(pixels: np.ndarray) -> bytes:
    """A PNG file of pixels, without any other data: equal pixels give equal bytes.

    Args:
        pixels: uint8, shape (height, width) or (height, width, 3).
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def read_pixels(data: bytes) -> np.ndarray:
    """The pixels of a file that `encode` made, uint8, (height, width) or (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(data), formats=["PNG"]))


def _open(data: bytes, where: str) -> Image.Image:
    """The whole picture in memory, or a refusal."""
    if not data:
        raise DoppelError(
            "data.image_empty",
            "is empty",
            name="image",
            remedy="remove it, or put the picture in its place",
            where=where,
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes that are looked at below, and damaged EXIF data
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            if getattr(image, "n_frames", 1) > 1:
                raise DoppelError(
                    "data.image_animated",
                    "is animated",
                    name="image",
                    remedy="save the one frame that counts",
                    where=where,
                )
            image.load()
    except UnidentifiedImageError:
        readable = ", ".join(FORMATS)
        raise DoppelError(
            "data.no_image",
            f"is no image that is read here ({readable})",
            name="image",
            remedy="remove it",
            where=where,
        ) from None
    except Image.DecompressionBombError:
        sentence = f"has more than {MAX_PIXELS:,} pixels, or claims to"
        raise DoppelError(
            "data.image_too_large", sentence, name="image", remedy="make it smaller, or remove it", where=where
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, OverflowError, MemoryError) as error:
        sentence = f"is damaged or cut off ({type(error).__name__})"
        raise DoppelError(
            "data.image_damaged", sentence, name="image", remedy="copy it again, or remove it", where=where
        ) from None
    if image.mode not in READABLE:
        sentence = f"has pixels of mode {image.mode}, whose range nobody knows"
        raise DoppelError(
            "data.image_mode", sentence, name="image", remedy="save it with 8 or 16 bits a channel", where=where
        )
    return image


def _fitted(image: Image.Image, shape: Shape, where: str) -> Image.Image:
    size = (shape.width, shape.height)
    if shape.fit == "refuse":
        sentence = f"is no picture of {size[0]} x {size[1]} pixels"
        raise DoppelError(
            "data.image_size",
            sentence,
            name="image",
            remedy="set fit: crop or fit: pad, or declare another size",
            where=where,
        )
    if shape.fit == "crop":
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    colour = shape.background if shape.mode == "L" else (shape.background,) * 3
    return ImageOps.pad(image, size, Image.Resampling.LANCZOS, color=colour)
