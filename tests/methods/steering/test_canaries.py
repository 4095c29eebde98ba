"""Dummy units through the clipped sum: what is released about each, and faults that are caught."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from lib.audit import ideal_attack
from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.audit.finding import judge
from lib.audit.trade_off import lower_bound
from lib.audit.verdict import Verdict
from lib.methods.steering import canaries
from lib.privacy.accounting import Gaussian

RECORDS = Access("10_steer.x", "mean states of records", Gaussian(1.2), {"clip": 0.5}, "record", 1e-5)
USERS = replace(RECORDS, parameters={"clip": 3.0}, unit="user")


def send(access: Access, number: int = 800, seed: int = 1, **given: object) -> CanaryRun:
    return canaries.send(access, number, rng=np.random.default_rng(seed), privacy_seed=100 * seed, **given)


@pytest.mark.parametrize("access", [RECORDS, USERS], ids=["records", "users"])
def test_a_right_sum_passes_its_checks_and_is_not_violated(access: Access) -> None:
    run = send(access)
    assert run.included.sum() == 400 and [check.passed for check in run.checks] == [True] * 3
    assert judge(access, run).verdict is Verdict.CONSISTENT


@pytest.mark.parametrize("access", [RECORDS, USERS], ids=["records", "users"])
def test_a_release_is_noise_if_out_and_the_whole_clip_more_if_in(access: Access) -> None:
    run = send(replace(access, mechanism=Gaussian(0.02)), 200)
    released = run.scores * 0.02**2 + 0.5  # the inverse of the log likelihood ratio
    assert released[run.included] == pytest.approx(np.ones(100), abs=0.1)
    assert released[~run.included] == pytest.approx(np.zeros(100), abs=0.1)


@pytest.mark.parametrize("access", [RECORDS, USERS], ids=["records", "users"])
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.applies_to(RECORDS.mechanism)])
def test_every_planted_fault_reads_violated(access: Access, fault: Fault) -> None:
    found = judge(access, send(access, fault=fault))
    assert found.verdict is Verdict.VIOLATED and found.bound.epsilon > found.claim
    assert not all(check.passed for check in found.checks)


def test_bounds_of_real_releases_cover_the_true_epsilon() -> None:
    """30 audits of 400 canaries each: canaries of a run are independent, so a large run holds many small ones."""
    run, truth = send(RECORDS, 12_000), RECORDS.mechanism.epsilon_at_least(1e-5)
    given = {"thresholds": ideal_attack.plan(RECORDS.mechanism).thresholds, "mechanism": RECORDS.mechanism}
    bounds = [
        lower_bound(scores, included, **given, delta=1e-5).epsilon
        for scores, included in zip(np.split(run.scores, 30), np.split(run.included, 30), strict=True)
    ]
    assert sum(bound > truth for bound in bounds) <= binom.ppf(0.99, 30, 0.05)
    assert np.median(bounds) > truth / 4
