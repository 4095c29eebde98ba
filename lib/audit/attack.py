"""What text canaries show: how well scores tell those that were in from those that were not, and positive controls.

A separate experiment: it says how much of a made-up record comes back, and bounds no epsilon (`lib.audit.finding`
does). An attack that never caught anything proves nothing by finding nothing, so it must catch what has no privacy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.audit import text_scores
from lib.audit.canaries import Canary, Repetition
from lib.audit.canary_set import CanarySet, coins
from lib.audit.membership import IntervalEstimate, auc, tpr_at_fpr
from lib.audit.target import MadeAgain

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


def unnoised_control(name: str, values: np.ndarray, members: Sequence[Canary]) -> Control:
    """Whether a score catches the canaries that came once where the noise of an arm is left out.

    Args:
        name: of the score.
        values: scores of the canaries without noise, shape (n,); higher means rather in.
        members: the canaries.

    Returns:
        The control; passed where the AUC is above `CAUGHT`.
    """
    reached = auc(values, coins(members)).value
    return Control(name, "noise off, one copy", f"AUC {reached:.2f}, must be above {CAUGHT}", reached > CAUGHT)


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
    scores: Scores | None, unnoised: Mapping[str, np.ndarray], planted: CanarySet, *, score: str | None
) -> list[Control]:
    """The positive controls of the experiment with text canaries.

    Args:
        scores: of `scores_of`, of the arm without privacy; None where there is none.
        unnoised: scores of the canaries that came once, without noise, by name, of all arms that were made again.
        planted: the canaries.
        score: the one by which the arm without privacy must be caught, on its most repeated canaries.
    """
    tried = [unnoised_control(name, values, planted.single) for name, values in unnoised.items()]
    if scores is not None and score is not None:
        group = planted.repeated[-1]
        tried.append(repeated_control(score, scores[score][group.copies], group))
    return tried
