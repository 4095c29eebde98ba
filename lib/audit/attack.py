"""What the scores of an audited arm show: how well they tell canaries apart, and positive controls.

An attack that never caught anything proves nothing by finding nothing. So every score that is made into a bound has
positive controls, and where a control is missed there is no verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.audit import text_scores
from lib.audit.canaries import Canary, Repetition
from lib.audit.canary_set import CanarySet, coins
from lib.audit.membership import IntervalEstimate, auc, tpr_at_fpr
from lib.audit.target import MadeAgain
from lib.audit.verdict import Verdict, audit
from lib.common.errors import DoppelError

CAUGHT = 0.8  # AUC that repeated canaries must exceed where there is no privacy

Scores = Mapping[str, Mapping[int, np.ndarray]]  # name of the score -> copies -> scores (n,); higher: rather in


@dataclass(frozen=True)
class Membership:
    """How well a score tells the canaries of a group that were in from those that were out.

    Attributes:
        score: its name.
        copies: of each canary of the group; 1 for the single ones.
        canaries: how many there are in the group.
        auc: in [0, 1], 0.5 without any success.
        tpr: true positive rate at a false positive rate of 1%, in [0, 1].
    """

    score: str
    copies: int
    canaries: int
    auc: IntervalEstimate
    tpr: IntervalEstimate


def membership(scores: Scores, planted: CanarySet) -> list[Membership]:
    """AUC and true positive rate of every score on every group of canaries.

    Args:
        scores: of one arm; a score may lack groups.
        planted: the canaries, in the order of the scores.

    Returns:
        A row for each score and group that it has, with 95% intervals.
    """
    return [
        Membership(name, copies, len(group), *(f(values[copies], coins(group)) for f in (auc, tpr_at_fpr)))
        for name, values in scores.items()
        for copies, group in planted.groups.items()
        if copies in values
    ]


@dataclass(frozen=True)
class Control:
    """A positive control.

    Attributes:
        score: name of the score that is controlled.
        what: what was tried.
        shown: what came out, in words.
        passed: whether the attack caught it.
    """

    score: str
    what: str
    shown: str
    passed: bool


def repeated_control(name: str, values: np.ndarray, repetition: Repetition) -> Control:
    """Whether a score catches canaries of which a model without privacy saw several copies.

    Args:
        name: of the score.
        values: scores of these canaries for an arm without privacy, shape (n,); higher means rather in.
        repetition: the canaries.

    Returns:
        The control; passed where the AUC is above `CAUGHT`.
    """
    reached = auc(values, coins(repetition.canaries)).value
    what = f"no privacy, {repetition.copies} copies"
    return Control(name, what, f"AUC {reached:.2f}, must be above {CAUGHT}", reached > CAUGHT)


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
    """Whether an arm without noise reads *violated* when it is said to claim a small epsilon.

    The claim is that of the unit which a coin moves. Where coins move groups of ``copies`` records, each record claims
    ``claim`` / ``copies``, so that the group claims ``claim`` (`lib.audit.canaries.Repetition.group_claim`).

    Args:
        name: of the score.
        values: scores of the canaries for an arm without noise, shape (n,); higher means rather in.
        members: the canaries.
        claim: epsilon that is claimed for the unit, above 0.
        delta: of the claim for one record, in [0, 1).
        rng: breaks ties, and draws the ideal attack's scores.
        copies: of each canary, at least 1.

    Returns:
        The control; passed where any bound is above the claim.

    Raises:
        DoppelError: the claim for the group has delta 1, so that it promises nothing.
    """
    group = Repetition(members, copies)
    epsilon, group_delta = group.group_claim(claim / copies, delta)
    if group_delta >= 1:
        raise DoppelError(
            "audit.planted_claim_vacuous",
            f"planted_claim = {claim:g} for {group.unit} has delta 1, so it claims nothing",
            name="planted_claim",
            value=claim,
            remedy="lower it",
        )
    findings = audit({name: values}, coins(members), claim=epsilon, delta=group_delta, rng=rng)
    best = max(findings, key=lambda finding: finding.bound.epsilon)
    shown = f"bound {best.bound.epsilon:.2f} of a claimed {epsilon:g} for {group.unit}"
    violated = any(finding.verdict is Verdict.VIOLATED for finding in findings)
    return Control(name, "noise off under a claim", shown, violated)


def scores_of(again: MadeAgain, planted: CanarySet, canary_vectors: np.ndarray, text_vectors: np.ndarray) -> Scores:
    """All scores of an arm that was made again: its method's, and those that read its text alone.

    Args:
        again: the arm, made again on the canaried corpus.
        planted: the canaries.
        canary_vectors: embeddings (canaries and references, d) of `CanarySet.texts`.
        text_vectors: embeddings (texts, d) of what the arm wrote again.

    Returns:
        By name and number of copies, scores (n,) relative to the references of the canary's kind; higher: rather in.
    """
    raw = {
        **again.scores,
        "2-gram": text_scores.bigram(planted.texts, again.texts),
        "3-word overlap": text_scores.overlap(planted.texts, again.texts),
        "similarity": text_scores.similarity(canary_vectors, text_vectors),
    }
    scores: dict[str, Mapping[int, np.ndarray]] = {name: planted.relative(values) for name, values in raw.items()}
    if "loss" in raw:
        scores["rank exposure"] = planted.exposed(raw["loss"])
    return scores | {name: {1: values} for name, values in again.single.items()}


def controls(
    scores: Mapping[str, Scores],
    made: Mapping[str, MadeAgain],
    planted: CanarySet,
    *,
    control: str | None,
    bounded: Sequence[str],
    claim: float,
    delta: float,
    rng: np.random.Generator,
) -> list[Control]:
    """Every positive control: the arm without privacy on the most repeated canaries, and what has its noise off.

    Args:
        scores: of `scores_of`, by arm.
        made: by arm.
        planted: the canaries.
        control: the arm without privacy, or None.
        bounded: scores that are made into bounds.
        claim: epsilon that the planted violation claims, above 0.
        delta: of that claim, in (0, 1).
        rng: breaks ties.
    """
    tried: list[Control] = []
    if control is not None:
        group = planted.repeated[-1]
        for name in [name for name in bounded if name in scores[control]]:
            values = scores[control][name][group.copies]
            tried.append(repeated_control(name, values, group))
            planted_claim = {"claim": claim, "delta": delta, "rng": rng, "copies": group.copies}
            tried.append(planted_control(name, values, group.canaries, **planted_claim))
    for again in made.values():
        for name, values in again.unnoised.items():
            tried.append(planted_control(name, values, planted.single, claim=claim, delta=delta, rng=rng))
    return tried
