"""Pictures of digits that stand for private ones, drawn by the simulator; and an evolution of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from lib.data.images.decoding import Shape, encode
from lib.data.images.private_image import ImageRecord, PrivateImage
from lib.generation.images.digits import Digits, Drawing
from lib.methods.private_evolution.evolution import Evolution, Voters
from lib.methods.private_evolution.image_api import DRAWINGS, Rendered, image_modality
from lib.methods.private_evolution.settings import Settings
from lib.models.image_encoders import Pixels

SHAPE = Shape(14, 14, "L", background=0)
CELLS = [{"digit": "1"}, {"digit": "7"}]
STYLE = Drawing("1", "DejaVuSans-Bold", 0.85, 0.0, 0.02, -0.4, 0.0, 0.0)  # what "private" digits look like
CORPUS = {"width": 14, "height": 14, "colours": False, "fit": "refuse", "background": 0}
ARM = {
    "inputs": {"corpus": "00_process_images"}, "api": "render:digits", "fonts": [], "ink": 255, "text_label": "digit",
    "model": None, "prompt": "a {digit}", "steps": 4, "guidance": 2.0, "side": 16, "batch_size": 4, "device": "cpu",
    "public_pictures": None, "target_epsilon": 8.0, "iterations": 3, "samples": 12, "variants": 3, "degrees": 0.2,
    "encoder": "pixels:1.0", "seed": 0, "privacy_seed": 1,
}  # fmt: skip


def private(count: int = 200, seed: int = 0) -> list[ImageRecord]:
    """Ones and sevens in turn, all of nearly one style."""
    digits, rng, rows = Digits(SHAPE, [STYLE.font]), np.random.default_rng(seed), []
    for number in range(count):
        cell = CELLS[number % 2]
        drawing = digits.vary(replace(STYLE, text=cell["digit"]), 0.1, rng)
        rows.append(record(f"r{number}", digits.render(drawing), cell))
    return rows


def record(id: str, picture: np.ndarray, labels: dict[str, str], user: str | None = None) -> ImageRecord:
    return ImageRecord(id, PrivateImage(encode(picture), picture.shape[1::-1]), labels, user)


def evolving(folder: Path, rows: list[ImageRecord], unit: str = "record", **changes: object) -> Evolution:
    modality = image_modality(Rendered(Digits(SHAPE), "digit", 0), DRAWINGS, Pixels(1.0), SHAPE)
    settings = {"iterations": 4, "samples": 12, "noise_multiplier": 0.5, "degrees": 0.2, "privacy_seed": 1} | changes
    return Evolution(
        modality,
        Voters.of(modality.voters(rows), rows, CELLS, unit),
        cells=CELLS,
        shares=np.array([0.5, 0.5]),
        catalogue=[],
        settings=Settings(**settings),
        folder=folder,
    )
