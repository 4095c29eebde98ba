"""Pictures inside the page: their bytes as text, small enough that a page stays under its limit."""

import base64
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

WIDEST = 1500  # pixels
SHOWN = 96 / 150  # of its pixels: plots are saved at 150 an inch, and a browser draws 96 an inch


@dataclass(frozen=True)
class Figure:
    """A picture for the report. ``public`` says that nothing in it was computed from real text outside the budget."""

    path: Path
    title: str
    alt: str
    caption: str = ""
    public: bool = False


@dataclass(frozen=True)
class Embedded:
    """A picture as the page holds it: a data URI, or None where it did not fit any more. Sizes as shown, in pixels."""

    title: str
    alt: str
    caption: str
    uri: str | None
    width: int
    height: int


class Album:
    """Embeds pictures in the order in which they are asked for, until ``limit`` bytes are used up."""

    def __init__(self, limit: int):
        self.left = limit

    def embed(self, figure: Figure) -> Embedded:
        if not self.left:
            return Embedded(figure.title, figure.alt, figure.caption, None, 0, 0)
        data, width, height = _compressed(figure.path, figure.path.stat().st_mtime_ns)
        uri = "data:image/png;base64," + base64.b64encode(data).decode()
        fits = len(uri) <= self.left
        self.left -= len(uri) if fits else 0
        return Embedded(figure.title, figure.alt, figure.caption, uri if fits else None, width, height)


@lru_cache(maxsize=256)  # both pages may have it
def _compressed(path: Path, changed: int) -> tuple[bytes, int, int]:
    """The picture as PNG, at most `WIDEST` wide and with 256 colours: plots lose nothing that can be seen."""
    with Image.open(path) as image:
        size = round(image.width * SHOWN), round(image.height * SHOWN)
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A") if "A" in image.getbands() else None)
    if flat.width > WIDEST:
        flat = flat.resize((WIDEST, round(flat.height * WIDEST / flat.width)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    flat.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue(), *size
