"""The audit of a claimed epsilon: bounds from below, what they could have shown, and a verdict.

A bound near 0 says nothing by itself: at epsilon 1 even an ideal attack on a few hundred canaries shows next to
nothing. So beside every bound stand its ceiling, what an ideal attack on a mechanism with exactly the claimed epsilon
would have shown, and its reach, what it would have been with every guess right.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

import numpy as np
from dp_accounting import get_sigma_gaussian

from lib.audit.one_run import ESTIMATORS, Bound, lower_bound, reach
from lib.common.errors import DoppelError

CEILING_SHARE = 0.25  # of the claim: an attack that at its best cannot show a quarter of it says nothing about it


class Verdict(StrEnum):
    VIOLATED = "violated"
    CONSISTENT = "consistent"
    INCONCLUSIVE = "inconclusive"
    FAILED = "audit failed: no verdict"


@dataclass(frozen=True)
class Finding:
    """One score through one estimator. All figures are epsilons at the audit's delta."""

    score: str
    estimator: str
    bound: Bound
    ceiling: float
    reach: float
    claim: float

    @property
    def verdict(self) -> Verdict:
        """*violated*: the bound is above the claim. Else *inconclusive* when the audit could not tell, that is when

        - the reach is at most the claim, so that no outcome would have read *violated*, or
        - the ceiling is below `CEILING_SHARE` of the claim, so that an ideal attack would hardly have shown a thing.

        Else *consistent*: what was found does not contradict the claim. It is no proof of it.
        """
        if self.bound.epsilon > self.claim:
            return Verdict.VIOLATED
        if self.reach <= self.claim or self.ceiling < CEILING_SHARE * self.claim:
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
    """Every score through every estimator, for one arm that claims (``claim``, ``delta``)-DP.

    ``scores`` maps a name to scores of shape (m,), higher means rather in; ``included`` holds the coins, bool. With
    chance at least 1 - ``beta`` *all* bounds hold at once: each is made at ``beta`` over their number. So name the
    scores before looking, and few of them. An arm without a claim (infinite) can be bounded, never violated.
    """
    if not scores:
        raise DoppelError("no score to audit; give at least one, of shape (m,)")
    if not claim > 0:
        raise DoppelError(f"claim = {claim}, an epsilon above 0 (infinity for an arm that claims nothing)")
    level, m = beta / (len(scores) * len(ESTIMATORS)), len(included)
    findings = []
    for estimator in ESTIMATORS:
        same = {"estimator": estimator, "delta": delta, "beta": level}
        top, most = ceiling(claim, m, **same, rng=rng), reach(m, **same)
        findings += [
            Finding(name, estimator, lower_bound(values, included, **same, rng=rng), top, most, claim)
            for name, values in scores.items()
        ]
    return findings


def verdict(findings: list[Finding], *, controls: Mapping[str, bool]) -> Verdict:
    """The verdict on an arm: *violated* or *consistent* when any finding is, in this order, else *inconclusive*.

    ``controls`` says of each positive control (a planted violation, a non-private arm with repeated canaries) whether
    the same attack caught it. One that was missed means the attack does not work: *audit failed*, whatever was found.
    """
    if not controls:
        raise DoppelError("no positive control: an attack that never caught anything proves nothing; run one at least")
    if not all(controls.values()):
        return Verdict.FAILED
    found = {finding.verdict for finding in findings}
    return next((v for v in (Verdict.VIOLATED, Verdict.CONSISTENT) if v in found), Verdict.INCONCLUSIVE)


def ceiling(
    claim: float,
    canaries: int,
    *,
    estimator: str,
    delta: float,
    beta: float = 0.05,
    rng: np.random.Generator,
    repetitions: int = 101,
) -> float:
    """The median bound of an ideal attack on a Gaussian mechanism that is (``claim``, ``delta``)-DP and no better.

    Each canary has a direction of its own, and the attacker reads it: a score is N(mu / 2, 1) for a canary that was
    in and N(-mu / 2, 1) for one that was out, with mu the sensitivity over the noise.
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
    """Scores and coins of one run of `ceiling`'s attack, both of shape (m,); some canary is in and some is out."""
    included = np.zeros(canaries, bool)
    while included.all() or not included.any():  # of 2^m coins two: drawn again
        included = rng.random(canaries) < 0.5
    mu = 1 / get_sigma_gaussian(claim, delta)
    return rng.normal(np.where(included, mu / 2, -mu / 2)), included
