"""Dummy units through the token's code: what is released about each, and faults that are caught."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from lib.audit import ideal_attack
from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.audit.finding import judge
from lib.audit.trade_off import lower_bound
from lib.audit.verdict import Verdict
from lib.methods.private_prediction import canaries
from lib.privacy.accounting import Exponential

GIVEN = {"temperature": 0.8, "expected_batch": 8.0, "top_k": 50, "top_k_margin": 0.5}
RECORDS = Access("14_private_prediction.x", "tokens", Exponential(2.0, 8), GIVEN, "record", 1e-5)
USERS = replace(RECORDS, parameters=GIVEN | {"top_k": 0, "temperature": 1.5}, unit="user")


def send(access: Access, number: int = 2000, seed: int = 1, **given: object) -> CanaryRun:
    return canaries.send(access, number, rng=np.random.default_rng(seed), privacy_seed=100 * seed, **given)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded draws, a generator for all texts of a step instead of one for each."""

    def drawn(seed: int | None, texts: np.ndarray, step: int) -> np.ndarray:
        return np.random.default_rng([seed, step]).random(len(texts))

    monkeypatch.setattr(canaries, "uniforms", drawn)


@pytest.mark.parametrize("access", [RECORDS, USERS], ids=["records", "users"])
def test_right_tokens_pass_their_checks_and_are_not_violated(access: Access) -> None:
    run = send(access)
    assert run.included.sum() == 1000 and [check.passed for check in run.checks] == [True] * 3
    found = judge(access, run)
    assert found.verdict is Verdict.CONSISTENT and 0.5 * found.claim < found.bound.epsilon < found.claim


def test_scores_are_distributed_as_those_of_the_ideal_attack() -> None:
    run, rng = send(RECORDS, 20_000), np.random.default_rng(3)
    ideal = RECORDS.mechanism.ideal_scores(run.included, rng)
    for side in (run.included, ~run.included):
        assert run.scores[side].mean() == pytest.approx(ideal[side].mean(), abs=0.06)
        assert run.scores[side].std() == pytest.approx(ideal[side].std(), rel=0.03)


@pytest.mark.parametrize("access", [RECORDS, USERS], ids=["records", "users"])
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.applies_to(RECORDS.mechanism)])
def test_every_planted_fault_reads_violated(access: Access, fault: Fault) -> None:
    found = judge(access, send(access, fault=fault))
    assert found.verdict is Verdict.VIOLATED and not all(check.passed for check in found.checks)
    if fault is not Fault.NO_NOISE:  # without a draw both of two equal tokens are the first
        assert found.bound.epsilon > found.claim


def test_the_divisor_and_the_clip_are_faults_of_private_prediction_and_shuffling_is_none() -> None:
    applies = [fault for fault in Fault if fault.applies_to(RECORDS.mechanism)]
    assert Fault.REALISED_DIVISOR in applies and Fault.LARGE_CLIP in applies and Fault.SHUFFLED not in applies


def test_bounds_of_real_tokens_cover_the_true_epsilon() -> None:
    """60 audits of 200 canaries each: canaries of a run are independent, so a large run holds many small ones."""
    run, truth = send(RECORDS, 12_000), RECORDS.mechanism.epsilon_at_least(1e-5)
    given = {"thresholds": ideal_attack.plan(RECORDS.mechanism).thresholds, "mechanism": RECORDS.mechanism}
    bounds = [
        lower_bound(scores, included, **given, delta=1e-5).epsilon
        for scores, included in zip(np.split(run.scores, 60), np.split(run.included, 60), strict=True)
    ]
    assert sum(bound > truth for bound in bounds) <= binom.ppf(0.99, 60, 0.05)
    assert np.median(bounds) > truth / 4
