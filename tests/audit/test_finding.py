"""Verdicts on a claimed epsilon, which can go every way."""

import numpy as np
import pytest
from support.errors import refused

from lib.audit.canary_run import Access, CanaryRun, Fault
from lib.audit.conformance import Check
from lib.audit.finding import MIN_CEILING_SHARE, Finding, judge, judge_growing, verdict
from lib.audit.trade_off import RateBound
from lib.audit.verdict import Verdict
from lib.privacy.accounting import Gaussian

ACCESS = Access("12_aug_pe", "votes", Gaussian(1.0), {}, "record", 1e-5)
PASSED, REFUSED = (Check("noise", "0.5", "1", passed) for passed in (True, False))
CAUGHT, MISSED = {Fault.NO_NOISE: Verdict.VIOLATED}, {Fault.NO_NOISE: Verdict.CONSISTENT}


def finding(bound: float = 2.0, ceiling: float = 3.0, claim: float = 4.0, check: Check = PASSED) -> Finding:
    return Finding(ACCESS, 1000, RateBound(bound, 0.0, 1, 500, 1, 500), ceiling, claim, (PASSED, check))


def test_verdicts_of_a_finding() -> None:
    assert finding(bound=4.1).verdict is Verdict.VIOLATED
    assert finding(bound=4.0).verdict is Verdict.CONSISTENT
    assert finding(check=REFUSED).verdict is Verdict.VIOLATED
    assert finding(ceiling=MIN_CEILING_SHARE * 4 - 0.01).verdict is Verdict.INCONCLUSIVE
    assert finding(bound=4.1, ceiling=0.1).verdict is Verdict.VIOLATED  # what is refuted is refuted


def test_the_verdict_of_an_arm_is_that_of_its_worst_access() -> None:
    weak, good, bad = finding(ceiling=0.1), finding(), finding(bound=5.0)
    assert verdict([good, good], CAUGHT) is Verdict.CONSISTENT
    assert verdict([weak, good], CAUGHT) is Verdict.INCONCLUSIVE
    assert verdict([weak, good, bad], CAUGHT) is Verdict.VIOLATED
    assert verdict([good], MISSED) is Verdict.FAILED and verdict([bad], MISSED) is Verdict.VIOLATED
    assert verdict([good], CAUGHT, same_code=False) is Verdict.INCONCLUSIVE
    assert verdict([bad], CAUGHT, same_code=False) is Verdict.VIOLATED  # today's fault is not excused
    assert str(Verdict.FAILED) == "audit failed: no verdict"
    with refused("audit.controls_missing", name="controls", value=0):
        verdict([good], {})
    with refused("audit.findings_missing", name="findings", value=0):
        verdict([], CAUGHT)


@pytest.mark.parametrize(
    ("noise", "canaries", "expected"),
    [(1.0, 4000, Verdict.CONSISTENT), (1.0, 40, Verdict.INCONCLUSIVE), (0.5, 4000, Verdict.VIOLATED)],
)
def test_a_run_is_judged_against_the_claim_of_its_access(noise: float, canaries: int, expected: Verdict) -> None:
    rng, inside = np.random.default_rng(0), np.arange(canaries) % 2 == 0
    seen = rng.normal(0, noise, canaries) + inside
    run = CanaryRun(ACCESS.mechanism.log_likelihood_ratio(seen), inside, [PASSED])
    found = judge(ACCESS, run)
    assert found.verdict is expected and found.canaries == canaries
    assert found.claim == pytest.approx(4.38, abs=0.01)
    assert found.bound.epsilon <= found.claim or expected is Verdict.VIOLATED


def test_a_bound_of_fewer_canaries_shows_less() -> None:
    rng, inside = np.random.default_rng(0), np.arange(4000) % 2 == 0
    run = CanaryRun(ACCESS.mechanism.ideal_scores(inside, rng), inside, [PASSED])
    assert judge(ACCESS, run.first(100)).bound.epsilon < judge(ACCESS, run).bound.epsilon
    assert judge(ACCESS, run, beta=0.001).bound.epsilon < judge(ACCESS, run).bound.epsilon


def test_a_finding_is_a_row_that_names_what_was_refused() -> None:
    row = finding(check=REFUSED).row()
    assert (row["access"], row["refused"], row["verdict"]) == ("votes", "noise", "violated")
    assert (row["bound"], row["ceiling"], row["claim"], row["false positives"]) == (2.0, 3.0, 4.0, 1)


def test_a_run_is_judged_by_its_first_canaries_too() -> None:
    rng, inside = np.random.default_rng(0), np.arange(3000) % 2 == 0
    run = CanaryRun(ACCESS.mechanism.ideal_scores(inside, rng), inside, [PASSED])
    grown = judge_growing(ACCESS, run)
    assert [found.canaries for found in grown] == [200, 1000, 3000]
    assert grown[-1] == judge(ACCESS, run) and grown[0].ceiling < grown[-1].ceiling
