"""The digits that come in a package."""

import numpy as np
import pytest

from lib.common.paths import DATA
from lib.data import sources
from lib.data.images import parquet


@pytest.mark.skipif(not (DATA / "raw" / "mnist_5k").is_dir(), reason="mnist-5k is not there yet")
def test_five_thousand_digits_of_ten_kinds() -> None:
    made = sources.load("mnist-5k")
    pictures = parquet.pixels(made.records)
    assert pictures.shape == (5000, 28, 28) and pictures.dtype == np.uint8
    kinds, counts = np.unique([r.labels["digit"] for r in made.records], return_counts=True)
    assert kinds.tolist() == list("0123456789") and counts.tolist() == [500] * 10
    assert 25 < pictures.mean() < 40 and pictures.max() == 255  # white ink on black
    ones, noughts = (pictures[[r.labels["digit"] == d for r in made.records]] for d in "10")
    assert ones.mean() < noughts.mean()
