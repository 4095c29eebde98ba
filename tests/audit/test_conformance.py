"""Checks of a mechanism that ran: a right one passes, a wrong one is refused."""

import numpy as np
import pytest

from lib.audit import conformance
from lib.privacy.mechanisms import check_sampler

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("spread", "passed"), [(0.8, True), (0.79, False), (0.81, False), (0.0, False)])
def test_noise_is_measured_to_a_part_in_a_hundred(spread: float, passed: bool) -> None:
    check = conformance.noise(RNG.normal(0, spread, (4, 50_000)), 0.8)
    assert check.passed is passed and check.claimed == "0.8" and "200,000 values (to 0.31%)" in check.measured


def test_right_noise_is_refused_next_to_never() -> None:
    assert all(conformance.noise(RNG.normal(0, 2, 50), 2.0).passed for _ in range(2000))


@pytest.mark.parametrize(("largest", "passed"), [(1.0, True), (1 - 1e-6, True), (1.0001, False), (2.0, False)])
def test_no_unit_may_change_more_than_the_sensitivity(largest: float, passed: bool) -> None:
    assert conformance.sensitivity(np.array([0.3, largest, 0.9])).passed is passed


@pytest.mark.parametrize(("count", "passed"), [(7500, True), (7620, True), (7900, False), (7100, False)])
def test_a_chance_is_that_of_the_binomial_distribution(count: int, passed: bool) -> None:
    assert conformance.chance(count, 10_000, 0.75, "a token").passed is passed


def test_batches_are_judged_as_the_trainer_judges_them() -> None:
    poisson = check_sampler(list(RNG.binomial(2000, 0.1, 60)), [], units=2000, sampling_probability=0.1)
    fixed = check_sampler([200] * 60, [], units=2000, sampling_probability=0.1)
    assert conformance.sampler(poisson).passed and not conformance.sampler(fixed).passed
    assert "deviate" in conformance.sampler(fixed).measured


def test_two_releases_with_the_same_noise_are_found() -> None:
    marks = [RNG.normal(size=4) for _ in range(5)]
    assert conformance.seeds(marks).passed
    again = conformance.seeds([*marks, marks[2].copy()])
    assert not again.passed and again.measured == "5 of 6"
