"""From noisy votes to the parents of the next generation: post-processing, which costs no privacy."""

from collections.abc import Sequence

import numpy as np

from lib.common.errors import DoppelError
from lib.methods.private_evolution.settings import Selection


def quotas(shares: np.ndarray, samples: int) -> np.ndarray:
    """Divide a number of texts among the cells in proportion to their shares, by largest remainders.

    Args:
        shares: share of each cell, from the noisy label histogram (`lib.data.labels.probabilities`); they sum to 1.
            Shape (cells,).
        samples: texts to divide, at least 0.

    Returns:
        Texts for each cell, int, shape (cells,); they sum to ``samples``. With fewer samples than cells some get none.
    """
    exact = shares * samples
    whole = np.floor(exact).astype(int)
    left = samples - whole.sum()
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1  # largest remainder first, then the first cell
    return whole


def select(
    noisy_votes: np.ndarray,
    cells: np.ndarray,
    quota: Sequence[int],
    *,
    threshold: float,
    how: Selection,
    rng: np.random.Generator,
) -> np.ndarray:
    """Select candidates in each cell by their noisy votes (Lin et al. 2024; Xie et al. 2024).

    First the threshold H is subtracted from the votes, and what falls below zero becomes zero.

    Args:
        noisy_votes: noisy votes of each candidate, shape (candidates,); may be negative.
        cells: number of each candidate's cell, shape (candidates,).
        quota: how many to select in each cell, shape (cells,). A cell without candidates gets none.
        threshold: H >= 0, in votes.
        how: ``rank`` takes the candidates with most votes; equal ones (all those at zero, say) are ordered by their
            votes before the threshold, and a cell with fewer candidates than its quota starts again at its best.
            ``sample`` draws with replacement, in proportion to the votes; where all are zero, uniformly.
        rng: draws for ``sample``; ``rank`` does not use it.

    Returns:
        Indices of the selected candidates, shape (at most the sum of ``quota``,): cell by cell, the best of a cell
        first. An index can occur several times.

    Raises:
        DoppelError: ``how`` is unknown, or ``threshold`` is negative or NaN.
    """
    if how not in ("rank", "sample"):
        raise DoppelError(
            "methods.unknown_selection",
            f"selection = {how!r} is neither rank nor sample",
            name="selection",
            value=how,
            remedy="set selection to rank or sample",
        )
    if not threshold >= 0:
        raise DoppelError(
            "methods.negative_threshold",
            f"threshold = {threshold} must be at least 0, in votes",
            name="threshold",
            value=threshold,
        )
    votes = np.maximum(noisy_votes - threshold, 0)
    chosen = []
    for cell, wanted in enumerate(quota):
        (members,) = np.nonzero(cells == cell)
        if not len(members) or not wanted:
            continue
        best_first = members[np.lexsort((-noisy_votes[members], -votes[members]))]
        if how == "rank":
            chosen.append(np.resize(best_first, wanted))
            continue
        weights = votes[best_first]
        shares = weights / weights.sum() if weights.sum() else None
        chosen.append(best_first[np.sort(rng.choice(len(members), size=wanted, p=shares))])
    return np.concatenate(chosen) if chosen else np.zeros(0, dtype=int)
