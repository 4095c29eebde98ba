"""A simulator of faces: cartoons put together from parts (python-avatars), drawn by resvg.

Lin et al. 2025 evolve such faces for CelebA. An item is a `Face`, the names of its parts; `render` makes the picture,
and is pure: the same parts give the same pixels. Needs ``pip install -e .[images]``.
"""

import hashlib
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import import_module, metadata
from types import ModuleType

import numpy as np

from lib.common.errors import DoppelError
from lib.data.images.decoding import Shape, decode

PACKAGES = ("python_avatars", "resvg_py")
KINDS = {  # field of a face -> enumeration of python_avatars with its choices
    "top": "HairType",
    "eyebrows": "EyebrowType",
    "eyes": "EyeType",
    "nose": "NoseType",
    "mouth": "MouthType",
    "facial_hair": "FacialHairType",
    "skin_color": "SkinColor",
    "hair_color": "HairColor",
    "facial_hair_color": "HairColor",
    "accessory": "AccessoryType",
    "clothing": "ClothingType",
    "clothing_color": "ClothingColor",
}
_FINER = 4  # a face is drawn so many times larger, then scaled


@dataclass(frozen=True, order=True)
class Face:
    """A face's parts, by the names that python-avatars has for them; `KINDS` says of which enumeration."""

    top: str
    eyebrows: str
    eyes: str
    nose: str
    mouth: str
    facial_hair: str
    skin_color: str
    hair_color: str
    facial_hair_color: str
    accessory: str
    clothing: str
    clothing_color: str


class Avatars:
    """The simulator.

    Args:
        shape: of the pictures; ``background`` is the grey level behind a face.

    Raises:
        DoppelError: a package is not installed.
    """

    def __init__(self, shape: Shape):
        self.shape = Shape(shape.width, shape.height, shape.mode, "pad", shape.background)
        self._parts, self._resvg = (_package(name) for name in PACKAGES)
        self.choices = {part: [one.name for one in getattr(self._parts, kind)] for part, kind in KINDS.items()}
        versions = [metadata.version(name.replace("_", "-")) for name in PACKAGES]
        self.fingerprint = hashlib.sha256(repr([self.shape, self.choices, versions, _FINER]).encode()).hexdigest()

    def random(self, text: str, rng: np.random.Generator) -> Face:
        """A face, each part drawn uniformly; ``text`` is not used, for a face has none."""
        return Face(**{part: _one_of(names, rng) for part, names in self.choices.items()})

    def vary(self, face: Face, degree: float, rng: np.random.Generator) -> Face:
        """A face like another one.

        Args:
            face: the parent.
            degree: in [0, 1]: the chance of each part to be drawn anew.
            rng: draws.
        """
        drawn = {part: _one_of(names, rng) for part, names in self.choices.items() if rng.random() < degree}
        return Face(**asdict(face) | drawn)

    def render(self, face: Face) -> np.ndarray:
        """The picture of a ``face``: uint8, of the array's shape of ``shape``."""
        parts = {
            part.name: getattr(getattr(self._parts, KINDS[part.name]), getattr(face, part.name))
            for part in fields(face)
        }
        svg = self._parts.Avatar(style=self._parts.AvatarStyle.TRANSPARENT, **parts).render()
        drawn = self._resvg.svg_to_bytes(svg_string=svg, height=_FINER * self.shape.height)
        return decode(bytes(drawn), self.shape, "a simulated face")[0]


@cache
def _package(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError:
        raise DoppelError(
            "generation.package_missing",
            f"{name} is not installed, which draws avatars",
            name=name,
            remedy="install it: pip install -e .[images]",
        ) from None


def _one_of(names: list[str], rng: np.random.Generator) -> str:
    return names[rng.integers(len(names))]
