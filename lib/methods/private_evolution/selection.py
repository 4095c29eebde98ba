"""From noisy votes to the parents of the next generation. All of it is post-processing: it costs no privacy."""

from collections.abc import Sequence

import numpy as np

from lib.common.errors import DoppelError
from lib.methods.private_evolution.settings import Selection


def quotas(shares: np.ndarray, samples: int) -> np.ndarray:
    """How many of ``samples`` each cell gets, shape (cells,): proportional to its share, by largest remainders.

    With fewer samples than cells the smallest shares get none. ``shares`` sum to 1 (`lib.data.labels.probabilities`).
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
    """Candidates chosen in each cell, as many as its quota; a cell without candidates gets none.

    The threshold H is taken off the noisy votes, and what falls below zero is zero (Lin et al. 2024).

    - ``rank`` takes the candidates with most votes. Equal votes (all those at zero, say) are ordered by what
      they had before the threshold. A cell with fewer candidates than its quota begins again at its best.
    - ``sample`` draws with replacement, in proportion to the votes; when all are zero, each with the same chance.

    Args:
        noisy_votes: (candidates,), may be negative. cells: (candidates,) number of each one's cell.
        quota: (cells,). threshold: H >= 0, in votes.

    Returns:
        Indices of candidates, cell by cell, those of a cell best first; an index may come more than once.
    """
    if how not in ("rank", "sample"):
        raise DoppelError(f"selection = {how!r}; it is rank or sample")
    if not threshold >= 0:
        raise DoppelError(f"threshold = {threshold} must be at least 0, in votes")
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
