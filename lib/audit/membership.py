"""How well scores tell the canaries that were in from those that were out. Higher scores mean rather in."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import beta as beta_distribution
from scipy.stats import norm, rankdata

from lib.common.errors import DoppelError


class IntervalEstimate(NamedTuple):
    """An estimate of a probability with its two-sided confidence interval; all three lie in [0, 1].

    Attributes:
        value: the point estimate.
        low: lower end of the interval.
        high: upper end.
    """

    value: float
    low: float
    high: float


def auc(scores: np.ndarray, included: np.ndarray, *, confidence: float = 0.95) -> IntervalEstimate:
    """Area under the ROC curve: the chance that a canary that was in scores above one that was out; ties count half.

    The interval is DeLong's (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44) on the logit scale. At an AUC of 0
    or 1 its variance is 0. Then the far end of the interval is (alpha / 2)^(1 / n) (for 0: 1 less that), with n the
    size of the smaller group and alpha = 1 - ``confidence``: n pairs that share no canary are all ordered rightly with
    chance AUC^n. At any other AUC, with fewer than 2 canaries in a group, the interval is all of [0, 1].

    Args:
        scores: shape (m,); higher means rather in.
        included: the coins, bool, shape (m,); some True and some False.
        confidence: of the interval, in (0, 1).

    Returns:
        The AUC in [0, 1]: 1 for a perfect attack, 0.5 for none.

    Raises:
        DoppelError: scores and coins cannot be compared (`checked`).
    """
    scores, included = checked(scores, included)
    inside, outside = scores[included], scores[~included]
    n_in, n_out = len(inside), len(outside)
    ranks = rankdata(np.concatenate([inside, outside]))
    share_below = (ranks[:n_in] - rankdata(inside)) / n_out  # of the canaries that were out, for each that was in
    share_above = 1 - (ranks[n_in:] - rankdata(outside)) / n_in  # of those that were in, for each that was out
    value = float(share_below.mean())
    alpha = 1 - confidence
    if value in (0.0, 1.0):
        far = (alpha / 2) ** (1 / min(n_in, n_out))
        return IntervalEstimate(value, 0.0, 1 - far) if value == 0 else IntervalEstimate(value, far, 1.0)
    if min(n_in, n_out) < 2:
        return IntervalEstimate(value, 0.0, 1.0)
    standard_error = np.sqrt(share_below.var(ddof=1) / n_in + share_above.var(ddof=1) / n_out)
    margin = norm.ppf(1 - alpha / 2) * standard_error / (value * (1 - value))
    low, high = expit(logit(value) - margin), expit(logit(value) + margin)
    return IntervalEstimate(value, float(low), float(high))


def tpr_at_fpr(
    scores: np.ndarray, included: np.ndarray, *, fpr: float = 0.01, confidence: float = 0.95
) -> IntervalEstimate:
    """True positive rate at a low false positive rate (Carlini et al. 2022, arXiv:2112.03570).

    The threshold is the lowest that at most floor(fpr * n) of the n canaries that were out are above. With fewer than
    1 / ``fpr`` of them none may be above, so the false positive rate is then nearer to 0 than ``fpr``. The interval is
    Clopper and Pearson's (1934) for the rate at this threshold; the threshold's own error is not part of it.

    Args:
        scores: shape (m,); higher means rather in.
        included: the coins, bool, shape (m,); some True and some False.
        fpr: the highest false positive rate, in [0, 1).
        confidence: of the interval, in (0, 1).

    Returns:
        The share, in [0, 1], of the canaries that were in which score above the threshold; ties with it do not count.

    Raises:
        DoppelError: ``fpr`` is out of range, or scores and coins cannot be compared (`checked`).
    """
    if not 0 <= fpr < 1:
        raise DoppelError(
            "audit.fpr_out_of_range", f"fpr = {fpr}, it must be at least 0 and below 1", name="fpr", value=fpr
        )
    scores, included = checked(scores, included)
    inside, outside = scores[included], np.sort(scores[~included])[::-1]
    threshold = outside[int(fpr * len(outside) + 1e-9)]  # 0.29 * 100 is 28.999999999999996
    hits, alpha = int((inside > threshold).sum()), 1 - confidence
    low = beta_distribution.ppf(alpha / 2, hits, len(inside) - hits + 1) if hits else 0.0
    high = beta_distribution.ppf(1 - alpha / 2, hits + 1, len(inside) - hits) if hits < len(inside) else 1.0
    return IntervalEstimate(hits / len(inside), float(low), float(high))


def exposure(scores: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Exposure of each canary: log2 |R| - log2 rank (Carlini et al. 2019, "The Secret Sharer", arXiv:1802.08232).

    R holds the canary and its k references, so |R| = k + 1. The rank is 1 where the canary scores above all of its
    references; a tie counts against it.

    Args:
        scores: of n canaries, shape (n,); higher means rather in.
        references: scores of k candidates that were never in and were drawn as the canaries were; shape (k,) for the
            same candidates for all canaries, or (n, k).

    Returns:
        Exposure in bits, shape (n,), from 0 (the canary ranks last) to log2(k + 1). The mean of canaries that were not
        in is 1 / ln 2 = 1.44 bits for large k.

    Raises:
        DoppelError: the shapes do not fit, or a score is NaN.
    """
    scores, references = np.asarray(scores, float), np.asarray(references, float)
    if scores.ndim != 1 or references.shape[:-1] not in [(), scores.shape] or not references.size:
        raise DoppelError(
            "audit.reference_shape",
            f"shapes {scores.shape} of scores and {references.shape} of references; they must be (n,) and (k,) or "
            "(n, k), k at least 1",
            name="references",
            value=references.shape,
        )
    if np.isnan(scores).any() or np.isnan(references).any():
        raise DoppelError(
            "audit.scores_nan",
            "a score is not a number",
            name="scores",
            remedy="score every canary and every reference",
        )
    rank = 1 + (references >= scores[:, None]).sum(axis=1)
    return np.log2(references.shape[-1] + 1) - np.log2(rank)


def checked(scores: np.ndarray, included: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Check that an attack can be judged by scores and coins.

    Args:
        scores: numbers, shape (m,).
        included: the coins, bool, shape (m,).

    Returns:
        ``scores`` as float64 and ``included`` as bool, both of shape (m,).

    Raises:
        DoppelError: the shapes or types do not fit, a score is NaN, or all coins are equal.
    """
    scores, included = np.asarray(scores, float), np.asarray(included)
    if scores.ndim != 1 or scores.shape != included.shape or included.dtype != bool:
        raise DoppelError(
            "audit.scores_shape",
            f"scores of shape {scores.shape}, and included of shape {included.shape} and type {included.dtype}; both "
            "must have one entry per canary, and included must be True or False",
            name="included",
            value=(included.shape, str(included.dtype)),
        )
    if np.isnan(scores).any():
        raise DoppelError(
            "audit.scores_nan",
            f"{int(np.isnan(scores).sum())} of {len(scores)} scores are not a number",
            name="scores",
            value=int(np.isnan(scores).sum()),
            remedy="score every canary",
        )
    if included.all() or not included.any():
        raise DoppelError(
            "audit.coins_all_equal",
            f"{int(included.sum())} of {len(included)} canaries are in; some must be in and some out",
            name="included",
            value=int(included.sum()),
        )
    return scores, included
