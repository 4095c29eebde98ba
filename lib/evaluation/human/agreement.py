"""Agreement between raters: Krippendorff's alpha, for any number of raters and missing ratings.

alpha = 1 - D_o / D_e, observed over expected disagreement between pairs of ratings; 1 is full agreement, 0 is what
chance gives. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".
"""

from typing import Literal

import numpy as np

from lib.common.errors import DoppelError, nearest
from lib.evaluation.estimate import Estimate, Undefined

Level = Literal["nominal", "ordinal", "interval"]


def alpha_estimate(ratings: np.ndarray, level: Level = "ordinal", *, draws: int, seed: int) -> Estimate | Undefined:
    """Alpha of ``ratings`` (raters, items), NaN where a rater gave none; at most 1. Its draws are a bootstrap of items.

    Not defined where no item has two ratings, and where all ratings are equal: nothing could disagree.
    """
    try:
        counts, values = _counts(ratings)
        value = _alpha(counts, values, level)
    except DoppelError as error:
        return Undefined(str(error))
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(draws):
        some = counts[rng.integers(len(counts), size=len(counts))]
        if (some.sum(axis=0) > 0).sum() > 1:  # else alpha is not defined there
            drawn.append(_alpha(some, values, level))
    if len(drawn) < 2:
        return Undefined(f"{len(counts)} items were rated twice, too few for an interval; rate more")
    return Estimate(value, value + np.array(drawn) - np.mean(drawn))


def _counts(ratings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each item got each value, (items, values), items with two ratings or more; and the values."""
    ratings = np.asarray(ratings, float)
    values = np.unique(ratings[~np.isnan(ratings)])
    counts = (ratings[:, :, None] == values).sum(axis=0)
    counts = counts[counts.sum(axis=1) > 1]
    if not len(counts):
        raise DoppelError("no item was rated by two raters, so agreement is not defined; have items rated twice")
    return counts, values


def _alpha(counts: np.ndarray, values: np.ndarray, level: Level) -> float:
    totals = counts.sum(axis=0)
    distances = _distances(totals, values, level)
    raters = counts.sum(axis=1)
    # pairs within an item, weighted so that each of its ratings counts once
    observed = (np.einsum("ic,ck,ik->i", counts, distances, counts) / (raters - 1)).sum()
    expected = totals @ distances @ totals / (totals.sum() - 1)
    if expected == 0:
        raise DoppelError("all ratings are equal, so agreement is not defined; rate items that differ")
    return float(1 - observed / expected)


def _distances(totals: np.ndarray, values: np.ndarray, level: Level) -> np.ndarray:
    """Squared differences between values, (values, values)."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return (values[:, None] - values) ** 2
    if level == "ordinal":  # ratings ranked between the two, halves of both counted
        middle = np.cumsum(totals) - totals / 2
        return (middle[:, None] - middle) ** 2
    raise DoppelError(f"unknown level {level!r}; {nearest(level, ('nominal', 'ordinal', 'interval'))}")
