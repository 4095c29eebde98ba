"""Pictures of a dataset of the hub, which a local one stands for."""

from pathlib import Path

import datasets
import numpy as np
import pytest
from support.errors import refused

from lib.data import sources
from lib.data.images.decoding import encode

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 5, 5), dtype=np.uint8)
FEATURES = {
    "img": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"]), "caption": datasets.Value("string"),
    "user": datasets.Value("int64"),
}  # fmt: skip


def offered(monkeypatch: pytest.MonkeyPatch, columns: dict, features: dict) -> list:
    asked = []
    made = datasets.Dataset.from_dict(columns, features=datasets.Features(features))

    def load_dataset(name: str, config: str | None, *, split: str, streaming: bool):
        asked.append((name, config, split, streaming))
        return made

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def test_pictures_labels_and_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "third.png").write_bytes(encode(PICTURES[2]))
    images = [{"bytes": encode(p), "path": None} for p in PICTURES[:2]]
    images.append({"bytes": None, "path": str(tmp_path / "third.png")})
    columns = {"img": images, "label": [1, 0, 1], "caption": ["a", "b", "c"], "user": [7, 8, 7]}
    asked = offered(monkeypatch, columns, FEATURES)
    made = sources.load("hub-images:owner/name::test")
    assert asked == [("owner/name", None, "test", False)]
    assert [(r.image.reveal(), dict(r.labels), r.user) for r in made.records] == [
        (encode(p), {"label": kind}, user) for p, kind, user in zip(PICTURES, ["dog", "cat", "dog"], "787", strict=True)
    ]


def test_what_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, {"label": [0]}, {"label": FEATURES["label"]})
    with refused("data.no_images", name="source", value="owner/name"):
        sources.load("hub-images:owner/name")

    def out_of_reach(*arguments: object, **options: object):
        raise ConnectionError("a private address")

    monkeypatch.setattr(datasets, "load_dataset", out_of_reach)
    with refused("data.hub_unreadable") as error:
        sources.load("hub-images:owner/name")
    assert "private" not in str(error.value)
    with refused("data.source_form"):
        sources.parse("hub-images")
