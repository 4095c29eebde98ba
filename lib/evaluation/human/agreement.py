"""Agreement between raters: Krippendorff's alpha, for any number of raters and missing ratings.

alpha = 1 - D_o / D_e, where D_o is the observed disagreement between pairs of ratings and D_e the one expected by
chance; 1 is full agreement, 0 is chance. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".
"""

from typing import Literal

import numpy as np

from lib.common.errors import DoppelError, nearest
from lib.evaluation.estimate import Estimate, Undefined

Level = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(ratings: np.ndarray, level: Level = "ordinal") -> float:
    """Krippendorff's alpha, at most 1; higher is better.

    Args:
        ratings: (raters, items), NaN where a rater gave none.
        level: how ratings differ: ``nominal`` (equal or not), ``ordinal`` (by rank) or ``interval`` (by difference).

    Raises:
        DoppelError: no item has two ratings, or all ratings are equal, so that nothing could disagree; or the level is
            unknown.
    """
    return _alpha(*_counts(ratings), level)


def alpha_estimate(ratings: np.ndarray, level: Level = "ordinal", *, draws: int, seed: int) -> Estimate | Undefined:
    """`krippendorff_alpha` with a bootstrap of the items as its draws; undefined where alpha is.

    Args:
        ratings: (raters, items), NaN where a rater gave none.
        level: ``nominal``, ``ordinal`` or ``interval``.
        draws: draws of the bootstrap.
        seed: of the bootstrap.
    """
    try:
        value = krippendorff_alpha(ratings, level)
    except DoppelError as error:
        return Undefined(str(error))
    counts, values = _counts(ratings)
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(draws):
        resampled = counts[rng.integers(len(counts), size=len(counts))]
        if (resampled.sum(axis=0) > 0).sum() > 1:  # else all ratings are equal
            drawn.append(_alpha(resampled, values, level))
    if len(drawn) < 2:
        return Undefined(f"{len(counts)} items were rated twice, too few for an interval; rate more")
    return Estimate(value, value + np.array(drawn) - np.mean(drawn))


def _counts(ratings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each item got each value, (items, values), for items with two ratings or more; and the values."""
    ratings = np.asarray(ratings, float)
    values = np.unique(ratings[~np.isnan(ratings)])
    counts = (ratings[:, :, None] == values).sum(axis=0)
    counts = counts[counts.sum(axis=1) > 1]
    if not len(counts):
        raise DoppelError(
            "evaluation.no_item_rated_twice",
            "no item was rated by two raters, so agreement is not defined",
            name="ratings",
            remedy="have items rated twice",
        )
    return counts, values


def _alpha(counts: np.ndarray, values: np.ndarray, level: Level) -> float:
    totals = counts.sum(axis=0)
    distances = _distances(totals, values, level)
    raters = counts.sum(axis=1)
    # pairs within an item, weighted so that each of its ratings counts once
    observed = (np.einsum("ic,ck,ik->i", counts, distances, counts) / (raters - 1)).sum()
    expected = totals @ distances @ totals / (totals.sum() - 1)
    if expected == 0:
        raise DoppelError(
            "evaluation.ratings_all_equal",
            "all ratings are equal, so agreement is not defined",
            name="ratings",
            remedy="rate items that differ",
        )
    return float(1 - observed / expected)


def _distances(totals: np.ndarray, values: np.ndarray, level: Level) -> np.ndarray:
    """Squared differences between values, (values, values)."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return (values[:, None] - values) ** 2
    if level == "ordinal":  # by how many ratings are ranked between the two, half of those at either value included
        middle = np.cumsum(totals) - totals / 2
        return (middle[:, None] - middle) ** 2
    raise DoppelError(
        "evaluation.unknown_level",
        f"unknown level {level!r}",
        name="level",
        value=level,
        remedy=nearest(level, ("nominal", "ordinal", "interval")),
    )
