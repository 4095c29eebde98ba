"""Trainings on two thirds of a set, and estimates whose intervals cover both trainings and test records."""

import numpy as np
import pytest
from support.errors import refused

from lib.evaluation.utility.training_resamples import over_trainings, training_rows


def mean(outcome: np.ndarray, rows: np.ndarray) -> float:
    return outcome[rows].mean()


def test_trainings_see_two_thirds_of_the_records_and_differ():
    trainings = training_rows(np.arange(100, 130), seeds=3, seed=5)
    assert all(len(set(rows)) == 20 and set(rows) <= set(range(100, 130)) for rows in trainings)
    assert len({tuple(rows) for rows in trainings}) == 3
    with refused("evaluation.too_few_trainings", name="seeds", value=2):
        training_rows(np.arange(30), seeds=2, seed=5)


def test_an_interval_covers_test_records_and_trainings():
    rng = np.random.default_rng(0)
    equal = np.repeat(rng.normal(size=(1, 300)), 3, axis=0)
    of_tests = over_trainings(mean, equal, draws=300, seed=0)
    reach = 1.96 * equal[0].std() / np.sqrt(300)
    assert of_tests.interval[1] - of_tests.value == pytest.approx(reach, rel=0.2)
    of_both = over_trainings(mean, equal + np.array([[-1], [0], [1]]), draws=300, seed=0)
    assert of_both.value == pytest.approx(of_tests.value)
    assert of_both.interval[1] - of_both.value > 1  # trainings that differ widen it


def test_each_separate_training_has_its_own_estimate_and_their_mean_is_the_value():
    right = (np.random.default_rng(0).random((5, 60)) < np.array([0.2, 0.4, 0.5, 0.6, 0.9])[:, None]).astype(float)
    estimate = over_trainings(mean, right, draws=90, seed=0, separate=5)
    assert [single.value for single in estimate.each] == pytest.approx(right.mean(axis=1).tolist())
    assert estimate.value == pytest.approx(np.mean([single.value for single in estimate.each]))
    # trainings differ by more than test records
    assert estimate.draws.std() > max(single.draws.std() for single in estimate.each)
    assert {len(single.draws) for single in estimate.each} == {90}
    expected = np.sqrt(0.5 * 0.5 / 60)
    assert estimate.each[2].draws.std(ddof=1) == pytest.approx(expected, rel=0.25)  # of a share among 60 records
