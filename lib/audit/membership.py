"""How well scores tell the canaries that were in from those that were not. Higher scores mean rather in."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import beta as beta_distribution
from scipy.stats import norm, rankdata

from lib.common.errors import DoppelError


class Estimate(NamedTuple):
    """A figure with its two-sided interval."""

    value: float
    low: float
    high: float


def auc(scores: np.ndarray, included: np.ndarray, *, confidence: float = 0.95) -> Estimate:
    """Chance that a canary that was in scores above one that was out, in [0, 1]; 0.5 is no attack, ties count half.

    ``scores`` and ``included`` have shape (m,). The interval is DeLong's (1988) on the logit scale. Where its variance
    vanishes the scores separate perfectly: then the side away from the edge is (alpha / 2)^(1 / n), n the smaller
    group, for n pairs that share no canary are all ordered alike with chance AUC^n.
    """
    scores, included = checked(scores, included)
    inside, outside = scores[included], scores[~included]
    n_in, n_out = len(inside), len(outside)
    ranks = rankdata(np.concatenate([inside, outside]))
    above_out = (ranks[:n_in] - rankdata(inside)) / n_out  # share of out canaries below each one that was in
    below_in = 1 - (ranks[n_in:] - rankdata(outside)) / n_in
    value = float(above_out.mean())
    alpha = 1 - confidence
    if value in (0.0, 1.0):
        far = (alpha / 2) ** (1 / min(n_in, n_out))
        return Estimate(value, 0.0, 1 - far) if value == 0 else Estimate(value, far, 1.0)
    if min(n_in, n_out) < 2:
        return Estimate(value, 0.0, 1.0)
    spread = np.sqrt(above_out.var(ddof=1) / n_in + below_in.var(ddof=1) / n_out)
    away = norm.ppf(1 - alpha / 2) * spread / (value * (1 - value))
    low, high = expit(logit(value) - away), expit(logit(value) + away)
    return Estimate(value, float(low), float(high))


def tpr_at_fpr(scores: np.ndarray, included: np.ndarray, *, fpr: float = 0.01, confidence: float = 0.95) -> Estimate:
    """Share of the canaries that were in which score above a threshold that at most ``fpr`` of the others pass.

    The threshold is the lowest that lets at most floor(fpr * n) of the n out canaries above it. The interval is Clopper
    and Pearson's for the share at that threshold; the error of the threshold itself is no part of it. With fewer than
    1 / fpr out canaries none may pass: the share is then one at a false positive rate nearer 0.
    """
    if not 0 <= fpr < 1:
        raise DoppelError(f"fpr = {fpr}, it must be at least 0 and below 1")
    scores, included = checked(scores, included)
    inside, outside = scores[included], np.sort(scores[~included])[::-1]
    threshold = outside[int(fpr * len(outside) + 1e-9)]  # 0.29 * 100 is 28.999999999999996
    hits, alpha = int((inside > threshold).sum()), 1 - confidence
    low = beta_distribution.ppf(alpha / 2, hits, len(inside) - hits + 1) if hits else 0.0
    high = beta_distribution.ppf(1 - alpha / 2, hits + 1, len(inside) - hits) if hits < len(inside) else 1.0
    return Estimate(hits / len(inside), float(low), float(high))


def exposure(scores: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Exposure in bits of each canary, shape (n,): log2 |R| - log2 rank (Carlini et al. 2019).

    ``scores`` has shape (n,), ``references`` (k,) or (n, k): the scores of k candidates that were never in, drawn like
    the canary, for all or for each. |R| is k + 1, the rank 1 where the canary scores above all of them; a tie counts
    against the canary. From 0 (the least likely) to log2(k + 1); a canary that was not in has 1 / ln 2 = 1.44 bits on
    average, for large k.
    """
    scores, references = np.asarray(scores, float), np.asarray(references, float)
    if scores.ndim != 1 or references.shape[:-1] not in [(), scores.shape] or not references.size:
        raise DoppelError(
            f"shapes {scores.shape} of scores and {references.shape} of references; (n,) and (k,) or (n, k)"
        )
    if np.isnan(scores).any() or np.isnan(references).any():
        raise DoppelError("a score is not a number; score every canary and every reference")
    rank = 1 + (references >= scores[:, None]).sum(axis=1)
    return np.log2(references.shape[-1] + 1) - np.log2(rank)


def checked(scores: np.ndarray, included: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores as floats and coins as booleans, both of shape (m,). Raises DoppelError where they cannot be compared."""
    scores, included = np.asarray(scores, float), np.asarray(included)
    if scores.ndim != 1 or scores.shape != included.shape or included.dtype != bool:
        raise DoppelError(
            f"scores of shape {scores.shape} and included of shape {included.shape} and type {included.dtype}; "
            "both have one entry a canary, and included is True or False"
        )
    if np.isnan(scores).any():
        raise DoppelError(f"{int(np.isnan(scores).sum())} of {len(scores)} scores are not a number; score every canary")
    if included.all() or not included.any():
        raise DoppelError(f"{int(included.sum())} of {len(included)} canaries are in; some must be in and some out")
    return scores, included
