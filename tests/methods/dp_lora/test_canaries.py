"""Canaries through the trainer: what is released about each, faults that are caught, and that no model runs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from lib.audit import ideal_attack
from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.audit.finding import judge
from lib.audit.trade_off import lower_bound
from lib.audit.verdict import Verdict
from lib.methods.dp_lora import canaries
from lib.privacy.accounting import Gaussian

ACCESS = Access("10_finetune_dp_lora.x", "DP-SGD", Gaussian(0.6, 0.5, 2), {"max_grad_norm": 0.3}, "record", 1e-5)


def send(access: Access = ACCESS, number: int = 1000, seed: int = 1, **given: object) -> CanaryRun:
    return canaries.send(
        access, number, rng=np.random.default_rng(seed), noise_steps=1, privacy_seed=100 * seed, **given
    )


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "NOISE_COORDINATES", 20_000)
    monkeypatch.setattr(canaries, "PROBED", 40)


def test_a_right_mechanism_passes_its_checks_and_is_not_violated() -> None:
    run = send()
    assert run.included.sum() == 500 and run.scores.shape == (1000,)
    assert [check.passed for check in run.checks] == [True] * 4
    assert judge(ACCESS, run).verdict is Verdict.CONSISTENT


def test_a_release_is_noise_if_out_and_the_clipping_norm_more_if_in_a_batch() -> None:
    """Everybody joins every batch: in units of the norm, 0 or 1 plus noise, however long the gradient was."""
    run = send(replace(ACCESS, mechanism=Gaussian(0.05, 1.0, 1)), 400)
    released = run.scores * 0.05**2 + 0.5  # the inverse of the log likelihood ratio
    assert released[run.included].mean() == pytest.approx(1, abs=0.02)
    assert released[~run.included].mean() == pytest.approx(0, abs=0.02)
    assert released[~run.included].std() == pytest.approx(0.05, rel=0.2)


def test_scores_are_distributed_as_those_of_the_ideal_attack() -> None:
    run, rng = send(number=8000), np.random.default_rng(3)  # two worlds
    ideal = ACCESS.mechanism.ideal_scores(run.included, rng)
    for side in (run.included, ~run.included):
        levels = np.quantile(ideal[side], [0.1, 0.5, 0.9, 0.99])
        shares = [(run.scores[side] <= level).mean() for level in levels]
        assert shares == pytest.approx([0.1, 0.5, 0.9, 0.99], abs=0.03)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.applies_to(ACCESS.mechanism)])
def test_every_planted_fault_reads_violated(fault: Fault) -> None:
    steps = 20 if fault is Fault.SHUFFLED else 2  # few batches can be of one size by chance
    access = replace(ACCESS, mechanism=Gaussian(0.9, 0.3, steps))
    found = judge(access, send(access, 3000, fault=fault))
    assert found.verdict is Verdict.VIOLATED
    refused = {check.what for check in found.checks if not check.passed}
    assert (
        refused
        == {
            Fault.NO_NOISE: {"standard deviation of the noise", "releases whose noise no other has"},
            Fault.HALVED_NOISE: {"standard deviation of the noise"},
            Fault.SHUFFLED: {"the batches"},
            Fault.LARGE_CLIP: {"the most that one unit changes"},
        }[fault]
    )
    assert (found.bound.epsilon > found.claim) or fault is Fault.SHUFFLED  # its bound needs far more canaries


def test_a_seed_that_is_used_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "WORLD", 500)
    monkeypatch.setattr(canaries.Trainer, "_accumulate", _same_noise(canaries.Trainer._accumulate))
    assert not send().checks[3].passed


def _same_noise(accumulate):
    def accumulated(self, *, last: bool) -> None:
        self.settings = replace(self.settings, privacy_seed=7)  # of every world
        accumulate(self, last=last)

    return accumulated


def test_bounds_of_the_real_trainer_cover_the_true_epsilon(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 audits of 400 canaries each: canaries of a run are independent, so a large run holds many small ones."""
    run, truth = send(number=24_000), ACCESS.mechanism.epsilon_at_least(1e-5)
    given = {"thresholds": ideal_attack.plan(ACCESS.mechanism).thresholds, "mechanism": ACCESS.mechanism}
    bounds = [
        lower_bound(scores, included, **given, delta=1e-5).epsilon
        for scores, included in zip(np.split(run.scores, 60), np.split(run.included, 60), strict=True)
    ]
    assert sum(bound > truth for bound in bounds) <= binom.ppf(0.99, 60, 0.05)
    assert np.median(bounds) > truth / 4
