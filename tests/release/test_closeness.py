"""Copies of private texts, pictures and rows are seen by the tests of an arm, and fresh records are not."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from support.image_toys import private, record

from lib.data.images.parquet import pixels
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.tables.domain import as_text
from lib.release import closeness, kinds

SIDE = 40  # records each of train, test, and the arm


def texts() -> list[Record]:
    draw = np.random.default_rng(0)
    words = [f"w{i}" for i in range(400)]
    return [Record(str(i), PrivateText(" ".join(draw.choice(words, 12))), {}) for i in range(3 * SIDE)]


def rows() -> list[Record]:
    draw = np.random.default_rng(0)
    numbers = draw.uniform(0, 1000, size=(3 * SIDE, 3)).round(2).tolist()
    return [
        Record(str(i), PrivateText(as_text(dict(zip("abc", row, strict=True)))), {}) for i, row in enumerate(numbers)
    ]


def noisy_pictures() -> list:
    """Digits with so much noise that no two are near each other."""
    draw = np.random.default_rng(0)
    digits = pixels(private(3 * SIDE))
    noisy = np.clip(digits + draw.normal(0, 60, digits.shape), 0, 255).astype(np.uint8)
    return [record(str(i), picture, {}) for i, picture in enumerate(noisy)]


@pytest.mark.parametrize(
    ("kind", "make", "tests"),
    [(kinds.TEXTS, texts, 3), (kinds.PICTURES, noisy_pictures, 2), (kinds.ROWS, rows, 2)],
    ids=["texts", "pictures", "rows"],
)
def test_copies_of_train_are_an_excess_and_fresh_records_are_none(tmp_path: Path, kind, make, tests: int) -> None:
    column = {"low": 0, "high": 1000, "decimals": 2}
    parameters = {"columns": dict.fromkeys("abc", column), "missing": []}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(parameters))
    every = make()
    train, test, fresh = every[:SIDE], every[SIDE : 2 * SIDE], every[2 * SIDE :]

    def excesses(made: list) -> list:
        written = [] if kind is kinds.PICTURES else [one.text.reveal() for one in made]
        arm = SimpleNamespace(kind=kind, records=made, texts=written, corpus=SimpleNamespace(folder=tmp_path))
        return closeness.excesses(arm, {"train": train, "test": test})

    assert len(excesses(fresh)) == tests and not any(excess.significant for excess in excesses(fresh))
    assert any(excess.significant for excess in excesses([*train[:15], *fresh[15:]]))
