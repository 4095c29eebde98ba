"""Pictures inside the page: their bytes as text, small enough that a page stays under its limit."""

import base64
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

WIDEST = 1500  # pixels
SHOWN = 96 / 150  # CSS pixels for a pixel of a plot: plots are saved at 150 per inch, and a browser draws 96 per inch


@dataclass(frozen=True)
class Figure:
    """A picture for the report.

    Attributes:
        path: of the PNG.
        title: shown below it.
        alt: what it shows, for readers who cannot see it.
        caption: how to read it.
        public: whether nothing in it was computed from real text outside the budget.
    """

    path: Path
    title: str
    alt: str
    caption: str = ""
    public: bool = False


@dataclass(frozen=True)
class Embedded:
    """A picture as the page holds it.

    Attributes:
        title: as of `Figure`.
        alt: as of `Figure`.
        caption: as of `Figure`.
        uri: a data URI, or None where the page had no room for it.
        width: as shown, in CSS pixels.
        height: likewise.
    """

    title: str
    alt: str
    caption: str
    uri: str | None
    width: int
    height: int


class Album:
    """Embeds pictures in the order in which they are given, as long as there is room.

    Args:
        limit: bytes for all pictures; 0 for none.
    """

    def __init__(self, limit: int):
        self.left = limit

    def embed(self, figure: Figure) -> Embedded:
        """The picture for the page.

        Args:
            figure: to embed.
        """
        if not self.left:
            return Embedded(figure.title, figure.alt, figure.caption, None, 0, 0)
        png, width, height = _compressed(figure.path, figure.path.stat().st_mtime_ns)
        uri = "data:image/png;base64," + base64.b64encode(png).decode()
        fits = len(uri) <= self.left
        self.left -= len(uri) if fits else 0
        return Embedded(figure.title, figure.alt, figure.caption, uri if fits else None, width, height)


@lru_cache(maxsize=256)  # both pages may have it
def _compressed(path: Path, changed: int) -> tuple[bytes, int, int]:
    """The picture as PNG, at most `WIDEST` wide and with 256 colours, enough for plots; and its size as shown."""
    with Image.open(path) as image:
        size = round(image.width * SHOWN), round(image.height * SHOWN)
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A") if "A" in image.getbands() else None)
    if flat.width > WIDEST:
        flat = flat.resize((WIDEST, round(flat.height * WIDEST / flat.width)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    flat.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue(), *size
