"""From noisy votes to the parents of the next generation: post-processing, which costs no privacy."""

from collections.abc import Sequence

import numpy as np

from lib.common.errors import DoppelError
from lib.data.near_duplicates import shingles
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
    texts: Sequence[str] | None = None,
    max_overlap: float = 1.0,
) -> np.ndarray:
    """Select candidates in each cell by their noisy votes (Lin et al. 2024; Xie et al. 2024).

    First the threshold H is subtracted from the votes, and what falls below zero becomes zero.

    With ``max_overlap`` below 1 a candidate that repeats what better ones say is passed over, as long as its cell can
    fill its quota with others: a model repeats its phrases, and the voters like the phrases that are like theirs, so
    selection by votes alone makes texts that repeat one another.

    Args:
        noisy_votes: noisy votes of each candidate, shape (candidates,); may be negative.
        cells: number of each candidate's cell, shape (candidates,).
        quota: how many to select in each cell, shape (cells,). A cell without candidates gets none.
        threshold: H >= 0, in votes.
        how: ``rank`` takes the candidates with most votes; equal ones (all those at zero, say) are ordered by their
            votes before the threshold, and a cell with fewer candidates than its quota starts again at its best.
            ``sample`` draws with replacement, in proportion to the votes; where all are zero, uniformly.
        rng: draws for ``sample``; ``rank`` does not use it.
        texts: the candidates' texts, which ``max_overlap`` below 1 needs; shape (candidates,).
        max_overlap: (0, 1], for ``rank``: the largest share of a text's runs of three words
            (`lib.data.near_duplicates.shingles`) that may stand in texts selected before it. Cells take turns, so that
            each has its share of the phrases. What is passed over fills a quota that is still open, best first. With 1
            nothing is passed over.

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
    ranked = {}
    for cell, wanted in enumerate(quota):
        (members,) = np.nonzero(cells == cell)
        if len(members) and wanted:
            ranked[cell] = members[np.lexsort((-noisy_votes[members], -votes[members]))]
    if how == "rank":
        if max_overlap < 1:
            ranked = _fresh_first(ranked, quota, texts, max_overlap)
        chosen = [np.resize(best_first, quota[cell]) for cell, best_first in ranked.items()]
    else:
        chosen = [_sampled(best_first, votes[best_first], quota[cell], rng) for cell, best_first in ranked.items()]
    return np.concatenate(chosen) if chosen else np.zeros(0, dtype=int)


def _sampled(best_first: np.ndarray, votes: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Candidates of a cell drawn in proportion to their votes."""
    shares = votes / votes.sum() if votes.sum() else None
    return best_first[np.sort(rng.choice(len(best_first), size=wanted, p=shares))]


def _fresh_first(
    ranked: dict[int, np.ndarray], quota: Sequence[int], texts: Sequence[str], max_overlap: float
) -> dict[int, np.ndarray]:
    """Each cell's candidates, those first that repeat little of what was selected before them; each part best first."""
    turns = sorted((place / quota[cell], cell, i) for cell, ranks in ranked.items() for place, i in enumerate(ranks))
    said: set[tuple[str, ...]] = set()
    fresh: dict[int, list[int]] = {cell: [] for cell in ranked}
    for _, cell, i in turns:
        own = shingles(texts[i])
        if len(fresh[cell]) < quota[cell] and len(own & said) <= max_overlap * len(own):
            said |= own
            fresh[cell].append(i)
    return {
        cell: np.concatenate([np.array(fresh[cell], int), ranks[~np.isin(ranks, fresh[cell])]])
        for cell, ranks in ranked.items()
    }
