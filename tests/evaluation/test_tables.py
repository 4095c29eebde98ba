"""Measures of rows: total variation by hand, and classifiers that learn what can be learned."""

import numpy as np
import pytest

from lib.data.tables.domain import columns_of
from lib.evaluation.tables import measure, total_variation

COLUMNS = columns_of({"n": {"low": 0, "high": 10}, "kind": ["a", "b"]}, missing=["n"])


def rows(count: int, seed: int, shift: float = 0.0, turned: bool = False) -> list[dict]:
    rng, made = np.random.default_rng(seed), []
    for number in range(count):
        kind = "ab"[number % 2]
        centre = 3.0 if (kind == "a") != turned else 7.0
        made.append({"n": int(np.clip(rng.normal(centre + shift, 1), 0, 10)), "kind": kind})
    return made


def test_total_variation_by_hand() -> None:
    left = [{"n": 1, "kind": "a"}, {"n": 9, "kind": "a"}, {"n": None, "kind": "b"}, {"n": 9, "kind": "b"}]
    right = [{"n": 1, "kind": "a"}] * 4
    assert total_variation(left, right, COLUMNS, ("n",), bins=2) == 0.75
    assert total_variation(left, right, COLUMNS, ("kind",), bins=2) == 0.5
    assert total_variation(left, right, COLUMNS, ("n", "kind"), bins=2) == 0.75
    assert total_variation(left, left[::-1], COLUMNS, ("n", "kind"), bins=2) == 0


def test_good_rows_are_near_and_teach_and_bad_ones_are_and_do_not() -> None:
    real, same = rows(120, 0), {"label": "kind", "bins": 5, "draws": 9, "seed": 0}
    good, bad = (measure(made, real, COLUMNS, **same) for made in (rows(120, 1), rows(120, 2, shift=3.0, turned=True)))
    assert good["tv_1"].value < 0.1 < 0.2 < bad["tv_1"].value and good["tv_2"].value < bad["tv_2"].value
    for name in ("logistic", "forest"):
        assert good[name].value > 0.9 and bad[name].value < 0.4
    one = measure([{"n": 3, "kind": "a"}] * 20, real, COLUMNS, **same)
    assert one["logistic"].value == pytest.approx(0.5)
    assert "logistic" not in measure(rows(30, 3), real, COLUMNS, **same | {"label": None})
