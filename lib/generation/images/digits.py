"""A simulator of written digits: text in some font, scaled, turned, sheared, thickened and shifted.

It stands for a simulator that knows nothing of the private pictures (Lin et al. 2025, "Differentially private synthetic
data via APIs 3: using simulators instead of foundation model", where DPSDA calls it DrawText). An item is a `Drawing`,
its parameters; `render` makes the picture, and is pure: the same parameters give the same pixels.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageFont

from lib.common.errors import DoppelError
from lib.data.images.decoding import Shape

FONTS = (  # of matplotlib, those that draw digits
    "cmb10", "cmr10", "cmss10", "cmtt10",
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta",
)  # fmt: skip
RANGES: Mapping[str, tuple[float, float]] = {  # of the numbers in a drawing
    "size": (0.45, 0.9),
    "rotation": (-30.0, 30.0),
    "stroke": (0.0, 0.08),
    "shear": (-0.6, 0.6),
    "across": (-0.12, 0.12),
    "down": (-0.12, 0.12),
}
_GLYPH = 96  # pixels: fonts are drawn at this size, then scaled
_FINER = 4  # a picture is drawn so many times larger, then averaged


@dataclass(frozen=True, order=True)
class Drawing:
    """A picture's parameters.

    Attributes:
        text: what is written.
        font: name of the font.
        size: height of a capital letter over the height of the picture, in its range of `RANGES`, as all that follow.
        rotation: degrees, counter-clockwise.
        stroke: what is added to both sides of each stroke, over the height of a letter.
        shear: how far the top leans to the right, over the height.
        across: shift to the right, over the width of the picture.
        down: shift down, over its height.
    """

    text: str
    font: str
    size: float
    rotation: float
    stroke: float
    shear: float
    across: float
    down: float


class Digits:
    """The simulator with its fonts.

    Args:
        shape: of the pictures; ``background`` is the grey level behind the writing.
        fonts: names of `FONTS`, or paths of font files; empty: all of `FONTS`.
        ink: grey level of the writing, in [0, 255].

    Raises:
        DoppelError: there is no such font, or one does not draw ten different digits with ink.
    """

    def __init__(self, shape: Shape, fonts: Sequence[str] = (), ink: int = 255):
        self.shape, self.ink = shape, ink
        self.fonts = {Path(name).stem: _find(name) for name in fonts or FONTS}
        for name, file in self.fonts.items():
            _check_digits(name, file)
        content = hashlib.sha256(repr([shape, ink, RANGES, _GLYPH, _FINER, PIL.__version__]).encode())
        for name, file in sorted(self.fonts.items()):
            content.update(name.encode() + file.read_bytes())
        self.fingerprint = content.hexdigest()

    def random(self, text: str, rng: np.random.Generator) -> Drawing:
        """A drawing of ``text``, each parameter drawn uniformly from its range."""
        font = [*self.fonts][rng.integers(len(self.fonts))]
        return Drawing(text, font, *(round(rng.uniform(*span), 4) for span in RANGES.values()))

    def vary(self, drawing: Drawing, degree: float, rng: np.random.Generator) -> Drawing:
        """A drawing like another one, with the same text.

        Args:
            drawing: the parent.
            degree: in [0, 1]: the chance of another font, and the standard deviation of each number's change over half
                its range. Numbers that leave their range are mirrored at its end.
            rng: draws.
        """
        font = [*self.fonts][rng.integers(len(self.fonts))] if rng.random() < degree else drawing.font
        numbers = astuple(drawing)[2:]
        moved = (
            round(_mirrored(value + degree * (high - low) / 2 * rng.normal(), low, high), 4)
            for value, (low, high) in zip(numbers, RANGES.values(), strict=True)
        )
        return Drawing(drawing.text, font, *moved)

    def render(self, drawing: Drawing) -> np.ndarray:
        """The picture of a ``drawing``: uint8, of the array's shape of ``shape``."""
        glyph = _glyph(self.fonts[drawing.font], drawing.text, round(drawing.stroke * _GLYPH))
        height, width = self.shape.height * _FINER, self.shape.width * _FINER
        scale = drawing.size * height / _GLYPH
        angle = np.deg2rad(drawing.rotation)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # rows run downwards
        lean = np.array([[1.0, -drawing.shear], [0.0, 1.0]])
        back = np.linalg.inv(scale * turn @ lean)  # from places in the picture to places in the glyph
        centre = np.array([(0.5 + drawing.across) * width, (0.5 + drawing.down) * height])
        shift = np.array(glyph.size) / 2 - back @ centre
        affine = (*back[0], shift[0], *back[1], shift[1])
        large = glyph.transform((width, height), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
        share = np.asarray(large.reduce(_FINER), float) / 255
        grey = np.round(self.shape.background + share * (self.ink - self.shape.background)).astype(np.uint8)
        return grey if self.shape.mode == "L" else np.repeat(grey[:, :, None], 3, axis=2)


@lru_cache(maxsize=4096)
def _glyph(font: Path, text: str, stroke: int) -> Image.Image:
    """The writing alone, white on black, cut to its ink."""
    face = _face(font)
    left, top, right, bottom = face.getbbox(text, stroke_width=stroke)
    image = Image.new("L", (max(1, int(np.ceil(right - left))) + 2, max(1, int(np.ceil(bottom - top))) + 2))
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, 255, face, stroke_width=stroke)
    return image


@lru_cache(maxsize=64)
def _face(font: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font), _GLYPH * 4 // 3, layout_engine=ImageFont.Layout.BASIC)


def _find(name: str) -> Path:
    """The file of a font."""
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    file = own if name in FONTS else Path(name)
    if not file.is_file():
        remedy = f"name the path of a font file, or one of {', '.join(FONTS)}"
        raise DoppelError("generation.no_font", f"no font {name}", name="fonts", value=name, remedy=remedy)
    return file


def _check_digits(name: str, file: Path) -> None:
    """Refuse a font that cannot be read, or lacks a digit: many then draw nothing, or one box for all."""
    try:
        drawn = {_glyph(file, digit, 0).tobytes() for digit in "0123456789"}
        inked = all(_glyph(file, digit, 0).getbbox() for digit in "0123456789")
    except OSError:
        drawn, inked = set(), False
    if len(drawn) < 10 or not inked:
        sentence = f"font {name} does not draw ten different digits with ink"
        raise DoppelError("generation.font_without_digits", sentence, name="fonts", value=name, remedy="leave it out")


def _mirrored(value: float, low: float, high: float) -> float:
    """A number brought back into [low, high], mirrored at the end that it passed."""
    offset = (value - low) % (2 * (high - low))
    return low + min(offset, 2 * (high - low) - offset)
