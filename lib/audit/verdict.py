"""The audit of a claimed epsilon: lower bounds, what they could have shown, and a verdict.

A bound near 0 says nothing by itself: at epsilon 1 even an ideal attack on a few hundred canaries shows next to
nothing. So beside every bound there are two more numbers: its ideal bound (called *ceiling* in files and tables), which
an ideal attack would have shown on a mechanism with exactly the claimed epsilon, and its reach, which it would have
been with every guess right.
"""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

import numpy as np
from dp_accounting import get_sigma_gaussian

from lib.audit.one_run import ESTIMATORS, Bound, lower_bound, reach
from lib.common.errors import DoppelError

MIN_IDEAL_SHARE = 0.25  # of the claim: where even an ideal attack shows less, the audit says nothing about the claim


class Verdict(StrEnum):
    """What an audit says about a claim; `Finding.verdict` and `verdict` decide it."""

    VIOLATED = "violated"
    CONSISTENT = "consistent"
    INCONCLUSIVE = "inconclusive"
    FAILED = "audit failed: no verdict"


@dataclass(frozen=True)
class Finding:
    """A score through an estimator. All figures are epsilons at the audit's delta.

    Attributes:
        score: name of the score.
        estimator: a key of `lib.audit.one_run.ESTIMATORS`.
        bound: what was shown.
        ideal_bound: what an ideal attack would have shown (`ideal_bound`).
        reach: what every guess right would have shown (`lib.audit.one_run.reach`).
        claim: the claimed epsilon; infinite for an arm that claims nothing.
    """

    score: str
    estimator: str
    bound: Bound
    ideal_bound: float
    reach: float
    claim: float

    @property
    def verdict(self) -> Verdict:
        """*violated* where the bound is above the claim. Else *inconclusive* where the audit could not tell:

        - the reach is at most the claim, so that no outcome would have read *violated*, or
        - the ideal bound is below `MIN_IDEAL_SHARE` of the claim, so that an ideal attack would hardly have shown
          anything.

        Else *consistent*: the audit could have contradicted the claim, and did not. This is no proof of it.
        """
        if self.bound.epsilon > self.claim:
            return Verdict.VIOLATED
        if self.reach <= self.claim or self.ideal_bound < MIN_IDEAL_SHARE * self.claim:
            return Verdict.INCONCLUSIVE
        return Verdict.CONSISTENT


def audit(
    scores: Mapping[str, np.ndarray],
    included: np.ndarray,
    *,
    claim: float,
    delta: float,
    beta: float = 0.05,
    rng: np.random.Generator,
) -> list[Finding]:
    """Bound the epsilon of an arm by every score through every estimator.

    All bounds hold at once with chance at least 1 - ``beta``: each is made at the level ``beta`` over their number. So
    name the scores before looking at them, and name few: each more weakens all bounds.

    Args:
        scores: name -> scores of the m canaries, shape (m,); higher means rather in.
        included: the coins, bool, shape (m,); some True and some False.
        claim: the epsilon that the arm claims, above 0; infinite for none, which can be bounded, but never violated.
        delta: of the claim, in (0, 1).
        beta: the highest chance that any of the bounds is above the true epsilon; in (0, 1).
        rng: orders equal scores, and draws the ideal attack's scores.

    Returns:
        A finding for every estimator and score.

    Raises:
        DoppelError: there are no scores, ``claim`` is not above 0, or `lib.audit.one_run.lower_bound` refuses.
    """
    if not scores:
        raise DoppelError(
            "audit.scores_missing",
            "no score to audit",
            name="scores",
            value=0,
            remedy="give at least one, of shape (m,)",
        )
    if not claim > 0:
        raise DoppelError(
            "audit.claim_out_of_range",
            f"claim = {claim}, it must be an epsilon above 0",
            name="claim",
            value=claim,
            remedy="give infinity for an arm that claims nothing",
        )
    level, canaries = beta / (len(scores) * len(ESTIMATORS)), len(included)
    findings = []
    for estimator in ESTIMATORS:
        options = {"estimator": estimator, "delta": delta, "beta": level}
        ideal, most = ideal_bound(claim, canaries, **options, rng=rng), reach(canaries, **options)
        findings += [
            Finding(name, estimator, lower_bound(values, included, **options, rng=rng), ideal, most, claim)
            for name, values in scores.items()
        ]
    return findings


def verdict(findings: list[Finding], *, controls: Mapping[Hashable, bool]) -> Verdict:
    """The verdict on an arm.

    Args:
        findings: of `audit`.
        controls: name -> whether the same attack caught a positive control (an arm without noise under a claim, or an
            arm without privacy with repeated canaries); at least one.

    Returns:
        *audit failed* where any control was missed, whatever was found: the attack does not work. Else *violated* where
        any finding is, else *consistent* where any finding is, else *inconclusive*.

    Raises:
        DoppelError: there are no controls.
    """
    if not controls:
        raise DoppelError(
            "audit.controls_missing",
            "no positive control: an attack that never caught anything proves nothing",
            name="controls",
            value=0,
            remedy="run at least one",
        )
    if not all(controls.values()):
        return Verdict.FAILED
    verdicts = {finding.verdict for finding in findings}
    return next((v for v in (Verdict.VIOLATED, Verdict.CONSISTENT) if v in verdicts), Verdict.INCONCLUSIVE)


def ideal_bound(
    claim: float,
    canaries: int,
    *,
    estimator: str,
    delta: float,
    beta: float = 0.05,
    rng: np.random.Generator,
    repetitions: int = 101,
) -> float:
    """The median bound of an ideal attack on a Gaussian mechanism that is exactly (claim, delta)-DP.

    Args:
        claim: epsilon, above 0; infinite: every guess is right.
        canaries: m, at least 2.
        estimator: a key of `lib.audit.one_run.ESTIMATORS`.
        delta: in (0, 1).
        beta: the highest chance that a bound is wrong, in (0, 1).
        rng: draws coins and scores.
        repetitions: how many attacks are simulated (`ideal_attack`).

    Returns:
        Epsilon, at least 0.
    """
    if math.isinf(claim):
        return reach(canaries, estimator=estimator, delta=delta, beta=beta)
    bounds = []
    for _ in range(repetitions):
        scores, included = ideal_attack(claim, canaries, delta=delta, rng=rng)
        bounds.append(lower_bound(scores, included, estimator=estimator, delta=delta, beta=beta, rng=rng))
    return median(bound.epsilon for bound in bounds)


def ideal_attack(
    claim: float, canaries: int, *, delta: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate a run of an ideal attack on a Gaussian mechanism that is exactly (claim, delta)-DP.

    Every canary has a direction of its own, in which the attacker reads it: its score is N(mu / 2, 1) if it was in and
    N(-mu / 2, 1) if it was out, with mu the sensitivity over the noise.

    Args:
        claim: epsilon, above 0 and finite.
        canaries: m, at least 2.
        delta: in (0, 1).
        rng: draws coins and scores.

    Returns:
        Scores (float64) and coins (bool), both of shape (m,). At least one canary is in and one is out.
    """
    included = np.zeros(canaries, bool)
    while included.all() or not included.any():  # 2 of the 2^m outcomes are drawn again
        included = rng.random(canaries) < 0.5
    mu = 1 / get_sigma_gaussian(claim, delta)
    return rng.normal(np.where(included, mu / 2, -mu / 2)), included
