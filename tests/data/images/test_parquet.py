"""Records of images as Parquet: what comes back, what others read, and names that do not fit."""

from pathlib import Path

import numpy as np
import pytest
from support.errors import refused

from lib.data.images import parquet
from lib.data.images.decoding import encode
from lib.data.images.private_image import ImageRecord, PrivateImage

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 5, 4), dtype=np.uint8)


def rows(users: bool = True, label: str = "digit") -> list[ImageRecord]:
    return [
        ImageRecord(f"{i}", PrivateImage(encode(p), (4, 5)), {label: f"{i % 2}"}, f"u{i}" if users else None)
        for i, p in enumerate(PICTURES)
    ]


@pytest.mark.parametrize("users", [True, False])
def test_what_is_written_comes_back(tmp_path: Path, users: bool) -> None:
    parquet.write(tmp_path / "x.parquet", rows(users))
    again = parquet.read(tmp_path / "x.parquet")
    assert again == rows(users) and again[0].image.size == (4, 5)
    assert (parquet.pixels(again) == PICTURES).all()


def test_others_read_it_as_pictures(tmp_path: Path) -> None:
    import datasets

    parquet.write(tmp_path / "x.parquet", rows())
    data = datasets.Dataset.from_parquet(str(tmp_path / "x.parquet"), cache_dir=str(tmp_path / "cache"))
    assert isinstance(data.features["image"], datasets.Image)
    assert (np.asarray(data[1]["image"]) == PICTURES[1]).all() and data[1]["digit"] == "1"


def test_what_does_not_fit(tmp_path: Path) -> None:
    with refused("data.label_name_taken", name="user"):
        parquet.write(tmp_path / "x.parquet", rows(label="user"))
    with refused("data.no_record"):
        parquet.write(tmp_path / "x.parquet", [])
    with refused("data.no_file", name="x.parquet"):
        parquet.read(tmp_path / "x.parquet")
