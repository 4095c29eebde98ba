"""Intervals against closed forms, and the subsamples that they come from."""

import numpy as np
import pytest
from scipy.stats import t as student
from support.errors import refused

from lib.evaluation.estimate import Estimate, estimate, matched_rows, subsamples


def test_the_interval_of_a_mean_is_that_of_students_t():
    records = np.random.default_rng(1).gamma(2, size=300)
    mean = estimate(lambda _, rows: {"mean": records[rows].mean()}, 20, 300, draws=400, seed=2)["mean"]
    reach = student.ppf(0.975, 299) * records.std(ddof=1) / np.sqrt(300)
    assert mean.value == records.mean()
    assert mean.interval == pytest.approx((mean.value - reach, mean.value + reach), abs=0.15 * reach)


def test_intervals_are_centred_though_subsamples_are_shifted():
    def statistic(real_rows: np.ndarray, rows: np.ndarray) -> dict[str, float]:
        return {"size": len(rows) + real_rows.sum() / 100}

    size = estimate(statistic, 30, 30, draws=20, seed=0)["size"]
    assert size.draws.mean() == pytest.approx(size.value) and size.value == pytest.approx(30 + 4.35)


def test_subsamples_are_two_thirds_without_repeats_and_shared_on_the_real_side():
    first = list(subsamples(30, 30, draws=5, seed=1))
    assert all(len(set(rows)) == len(rows) == 20 for pair in first for rows in pair)
    assert not any(np.array_equal(real, synthetic) for real, synthetic in first)
    again = list(subsamples(30, 45, draws=5, seed=1))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize(
    ("real", "synthetic", "draws", "name", "value"),
    [(5, 30, 5, "records", 5), (30, 8, 5, "records", 8), (30, 30, 1, "draws", 1)],
)
def test_too_few_records_or_draws_give_no_interval(real, synthetic, draws, name, value):
    with refused("evaluation.too_few_for_interval", name=name, value=value):
        next(subsamples(real, synthetic, draws=draws, seed=1))


def test_matched_rows_are_as_many_as_the_smallest_set_has():
    rows = matched_rows({"real": 40, "arm": 25, "floor": 90}, seed=3)
    assert {name: len(set(drawn)) for name, drawn in rows.items()} == {"real": 25, "arm": 25, "floor": 25}
    assert max(rows["floor"]) >= 40 and rows["arm"].tolist() == list(range(25))
    with refused("evaluation.too_few_records", name="arm", value=1):
        matched_rows({"real": 40, "arm": 1}, seed=3)


@pytest.mark.parametrize(("value", "draw"), [(float("nan"), 0.0), (0.5, float("inf"))])
def test_a_value_that_is_not_finite_is_refused(value, draw):
    with refused("evaluation.not_finite"):
        Estimate(value, np.array([0.0, draw]))
