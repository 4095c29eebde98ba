"""One metric between its floor and its ceiling."""

import json

import numpy as np
import pytest
from support.fidelity_toys import around

from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.metric import Metric


def metric(value, floor, ceiling, direction="higher") -> Metric:
    return Metric("toy", direction, value, floor, ceiling, used=100, of=120, real_text=True)


@pytest.mark.parametrize(
    ("value", "direction", "expected"),
    [(0.2, "higher", 0), (0.8, "higher", 1), (0.5, "lower", 0.5), (1.1, "match", 0.5), (0.5, "match", 0.5)],
)
def test_position_is_zero_at_the_floor_and_one_at_the_ceiling(value, direction, expected):
    position = metric(around(value, 0.01, 1), around(0.2, 0.01, 2), around(0.8, 0.01, 3), direction).position
    assert position.value == pytest.approx(expected) and position.interval[0] < expected < position.interval[1]


def test_at_ceiling_takes_the_difference_draw_by_draw():
    shared = around(0.5)
    near = Estimate(0.45, shared.draws - 0.05 + 0.001 * np.random.default_rng(1).normal(size=200))
    assert metric(shared, around(0.1), shared).at_ceiling
    assert not metric(near, around(0.1), shared).at_ceiling  # within either interval, yet apart in every draw
    assert metric(near, around(0.1), around(0.5, seed=4)).at_ceiling


def test_a_row_is_plain_json_and_says_why_a_number_is_missing():
    row = metric(around(0.5), around(0.1), around(0.9)).as_row()
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert (row["n"], row["of"], row["real_text"], row["because"]) == (100, 120, True, None)
    assert row["value_low"] < row["value"] < row["value_high"]
    gone = metric(Undefined("one record"), around(0.1), around(0.9)).as_row()
    assert gone["value"] is gone["position"] is gone["at_ceiling"] is None and gone["because"] == "one record"
    level = metric(around(0.5), around(0.5, seed=1), around(0.5, seed=2)).as_row()
    assert level["position"] is None and "n = 100" in level["because"] and level["value"] == 0.5
