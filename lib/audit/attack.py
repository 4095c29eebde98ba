"""What the scores of an audited arm show: bounds, controls and a verdict for each arm.

An attack that never caught anything proves nothing by finding nothing. So each score that is made into a bound has
positive controls, and where one is missed there is no verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.audit.canaries import Canary, Repetition
from lib.audit.canary_set import Planted, coins
from lib.audit.membership import Estimate, auc, tpr_at_fpr
from lib.audit.verdict import Verdict, audit
from lib.common.errors import DoppelError

CAUGHT = 0.8  # AUC that repeated canaries must exceed where there is no privacy

Scores = Mapping[str, Mapping[int, np.ndarray]]  # by name and copies; higher means rather in


@dataclass(frozen=True)
class Membership:
    """How well one score tells one group of canaries apart. ``copies`` 1: the single ones."""

    score: str
    copies: int
    canaries: int
    auc: Estimate
    tpr: Estimate  # at a false positive rate of 1%


def membership(scores: Scores, planted: Planted) -> list[Membership]:
    """AUC and true positive rate of every score on every group, each with its 95% interval."""
    return [
        Membership(name, copies, len(members), *(f(values[copies], coins(members)) for f in (auc, tpr_at_fpr)))
        for name, values in scores.items()
        for copies, members in planted.groups.items()
        if copies in values
    ]


@dataclass(frozen=True)
class Control:
    """A positive control: what was tried, and whether the attack saw it."""

    score: str
    what: str
    shown: str
    passed: bool


def repeated_control(name: str, values: np.ndarray, repetition: Repetition) -> Control:
    """Whether a score catches canaries of which a model without privacy saw several copies."""
    found = auc(values, coins(repetition.canaries))
    what = f"no privacy, {repetition.copies} copies"
    return Control(name, what, f"AUC {found.value:.2f}, must be above {CAUGHT}", found.value > CAUGHT)


def planted_control(
    name: str,
    values: np.ndarray,
    members: Sequence[Canary],
    *,
    claim: float,
    delta: float,
    rng: np.random.Generator,
    copies: int = 1,
) -> Control:
    """Whether an arm without noise reads *violated* when it is said to claim epsilon ``claim``.

    The claim is that of the unit which the coins move: where they move a group of ``copies`` records, each record
    claims the part that gives the group ``claim`` (`lib.audit.canaries.Repetition.group_claim`).
    """
    group = Repetition(members, copies)
    epsilon, group_delta = group.group_claim(claim / copies, delta)
    if group_delta >= 1:
        raise DoppelError(f"planted_claim = {claim:g} for {group.unit} has delta 1, so it claims nothing; lower it")
    findings = audit({name: values}, coins(members), claim=epsilon, delta=group_delta, rng=rng)
    best = max(findings, key=lambda finding: finding.bound.epsilon)
    shown = f"bound {best.bound.epsilon:.2f} of a claimed {epsilon:g} for {group.unit}"
    return Control(name, "noise off under a claim", shown, any(f.verdict is Verdict.VIOLATED for f in findings))
