"""The noisy count of copied units: its noise follows from the settings, and it hides one unit."""

import math

import numpy as np
import pytest

from lib.methods.registry import METHODS, spending
from lib.privacy import copy_count
from lib.privacy.accounting import DiscreteGaussian, default_delta, epsilon
from lib.privacy.mechanisms import noisy_counts

DELTA = default_delta(3184)


@pytest.mark.parametrize("target", [0.5, 1.0, 8.0, 30.0])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
def test_the_count_by_itself_spends_at_most_its_share(target: float, share: float):
    drawn = copy_count.mechanism({"target_epsilon": target, "copy_share": share}, DELTA)
    spent = epsilon([drawn], delta=DELTA)
    assert 0.25 * share * target < spent <= share * target
    assert drawn == copy_count.mechanism({"target_epsilon": target, "copy_share": share}, DELTA)


@pytest.mark.parametrize("settings", [{"target_epsilon": None, "copy_share": 0.2}, {"target_epsilon": 8.0}, {}])
def test_without_a_target_or_a_share_nothing_is_counted(settings: dict):
    assert copy_count.mechanism(settings, DELTA) is None


def test_nobody_copied_passes_and_twice_the_limit_does_not():
    scale = copy_count.mechanism({"target_epsilon": 8.0, "copy_share": 0.2}, DELTA).scale
    most = copy_count.limit(scale)
    assert scale < 4 and most < 10  # of 3,184 records
    noisy = np.array([noisy_counts([0, 2 * most], scale, None) for _ in range(4000)])
    assert np.mean(noisy[:, 0] > most) < 0.005 and np.mean(noisy[:, 1] <= most) < 0.005


@pytest.mark.parametrize("notebook", [method.spends for method in METHODS if method.spends])
def test_an_arm_that_counts_copies_stays_within_its_target_and_uses_it(notebook: str):
    method = spending(notebook)
    given = {"target_epsilon": 8.0, "steps": 6, "expected_batch": 144.0, "iterations": 3, "votes": 1}
    given |= {"samples": 20, "max_new_tokens": 32}
    histogram, mechanisms = DiscreteGaussian(10.0), {}
    for share in (0.0, 0.2):
        parameters = given | {"copy_share": share}
        own = method.mechanism(parameters, units=3184, delta=DELTA, others=[histogram])
        count = copy_count.mechanism(parameters, DELTA)
        spent = epsilon([own, histogram, *([count] if count else [])], delta=DELTA)
        assert 0.98 * 8 <= spent <= 8
        mechanisms[share] = own.noise
    assert 1 < mechanisms[0.2] / mechanisms[0.0] < 1.02 + 0.02 * (notebook != "10_finetune_dp_lora")  # what it costs
    assert math.isfinite(mechanisms[0.2])
