"""The votes of a selection: private records choose among texts that other arms wrote (Yu et al. 2024).

It is private evolution without variation. The first vote is among all candidates, each further one among those that are
left, where every candidate gets more votes and the noise stays the same.

Unit: one record, or one user with all records. Neighbours: add or remove one unit. Sampler: none, every unit takes part
in every vote. Mechanism: each vote releases one histogram with discrete Gaussian noise, drawn by an exact sampler
(`lib.methods.private_evolution.voting.noisy_votes`). Sensitivity: sqrt(k_nn) votes in L2 norm
(`lib.methods.private_evolution.voting.vote`): the candidates of a vote follow from the ledger's earlier events and from
earlier noisy histograms, so they are the same for both neighbours, and a unit's ballot depends on its own records and
on them alone. For the accountant that is one `Gaussian` with a count of ``votes``. What is selected is post-processing.

Each noisy histogram is written to the disk, whole, before it is used. A run that was killed reads it again, so no vote
is held twice and no noise is drawn twice.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lib.common.errors import DoppelError
from lib.common.files import write_array
from lib.methods.private_evolution.candidates import CHOICE, Generation
from lib.methods.private_evolution.evolution import Evolution, Iteration, Voters
from lib.methods.private_evolution.selection import quotas, select
from lib.methods.private_evolution.settings import Selection as How
from lib.methods.private_evolution.settings import Settings


class Selection(Evolution):
    """A selection; can be resumed wherever it was killed.

    Args:
        candidates: the m texts of the first vote.
        vectors: their embeddings by the encoder of ``voters``, float32, shape (m, width).
        voters: the private records.
        cells: labels of each cell, name -> value.
        shares: share of each cell, from the noisy label histogram; shape (cells,), sum 1.
        settings: ``iterations`` is the number of votes; of the others ``samples``, ``noise_multiplier``, ``k_nn``,
            ``threshold``, ``selection`` and the seeds count.
        folder: keeps noisy votes; give the same folder to go on.

    Raises:
        DoppelError: no label of which texts are wanted has a candidate.
    """

    def __init__(
        self,
        candidates: Generation,
        vectors: np.ndarray,
        voters: Voters,
        *,
        cells: Sequence[Mapping[str, str]],
        shares: np.ndarray,
        settings: Settings,
        folder: Path,
    ):
        super().__init__(None, voters, cells=cells, shares=shares, catalogue=[], settings=settings, folder=folder)
        self.candidates, self.vectors = candidates, vectors
        self.sizes = survivors(candidates.cells, quotas(shares, settings.samples), settings.iterations)
        if not self.sizes[-1].any():
            raise DoppelError(
                "methods.nothing_to_select",
                "no label of which texts are wanted has a candidate",
                name="samples",
                value=settings.samples,
                remedy="raise samples, or add arms to inputs",
            )

    def run(self, on_vote: Callable[[Iteration], object] = lambda iteration: None) -> list[Iteration]:
        """Hold all votes, or those that are left.

        Args:
            on_vote: called with each finished vote.

        Returns:
            The votes, in order, each with the candidates that took part in it.

        Raises:
            DoppelError: the noise is too small to be accounted for.
        """
        settings = self.settings
        left, history = np.arange(len(self.candidates.items)), []
        for number, size in enumerate(self.sizes):
            generation, vectors = _part(self.candidates, left), self.vectors[left]
            write_array(self.vectors_file(number), vectors)
            noisy = self._noisy(number, generation, vectors)
            last = number == settings.iterations - 1
            chosen = choose(
                noisy,
                np.array(generation.cells),
                size,
                threshold=settings.threshold,
                how=settings.selection if last else "rank",
                rng=np.random.default_rng([settings.seed, CHOICE, number]),
            )
            history.append(Iteration(number, generation, noisy, chosen))
            on_vote(history[-1])
            left = left[np.sort(chosen)]
        return history

    def result(self, last: Iteration) -> list[tuple[str, dict[str, str]]]:
        """The selected texts with their labels, each once.

        Args:
            last: the last vote.
        """
        return [(last.generation.items[i], last.generation.labels[i]) for i in last.chosen.tolist()]


def selected_rows(history: Sequence[Iteration]) -> np.ndarray:
    """Which of the first vote's candidates the last vote selected.

    Args:
        history: all votes.

    Returns:
        Indices among the first candidates, shape (selected,), in the order of the last vote's ``chosen``.
    """
    left = np.arange(len(history[0].generation.items))
    for vote in history[:-1]:
        left = left[np.sort(vote.chosen)]
    return left[history[-1].chosen]


def survivors(cells: Sequence[int], quota: np.ndarray, votes: int) -> list[np.ndarray]:
    """How many candidates of each cell are left after each vote: every vote leaves the same share of them.

    Args:
        cells: number of each candidate's cell, shape (candidates,).
        quota: how many are wanted in the end, int, shape (cells,).
        votes: how many votes there are, at least 1.

    Returns:
        For each vote the candidates of each cell that are left, int, shape (cells,). The last are ``quota``; a cell
        with fewer candidates keeps all that it has, and one of which nothing is wanted keeps none.
    """
    have = np.bincount(cells, minlength=len(quota))
    shrink = np.maximum(have / np.maximum(quota, 1), 1)
    sizes = [np.ceil(quota * shrink ** ((votes - 1 - vote) / votes) - 1e-9).astype(int) for vote in range(votes)]
    return [np.minimum(size, have) for size in sizes]


def choose(
    noisy_votes: np.ndarray,
    cells: np.ndarray,
    quota: np.ndarray,
    *,
    threshold: float,
    how: How,
    rng: np.random.Generator,
) -> np.ndarray:
    """Choose different candidates in each cell by their noisy votes.

    ``rank`` is that of `lib.methods.private_evolution.selection.select`. ``sample`` draws in proportion to the votes
    above the threshold, each candidate at most once: ranks of log(votes) plus Gumbel noise are such a draw (Kool, van
    Hoof & Welling 2019, "Stochastic beams and where to find them").

    Args:
        noisy_votes: noisy votes of each candidate, shape (candidates,); may be negative.
        cells: number of each candidate's cell, shape (candidates,).
        quota: how many to choose in each cell, at most as many as it has; int, shape (cells,).
        threshold: H >= 0, in votes.
        how: ``rank`` or ``sample``.
        rng: draws for ``sample``.

    Returns:
        Indices of the chosen candidates, shape (sum of ``quota``,), cell by cell, the best of a cell first.
    """
    if how == "sample":
        weights = np.maximum(noisy_votes - threshold, 1e-12)  # those without votes come last, in random order
        noisy_votes, threshold = np.log(weights) + rng.gumbel(size=len(weights)), 0.0
        how = "rank"
    return select(noisy_votes, cells, quota, threshold=threshold, how=how, rng=rng)


def _part(whole: Generation, rows: np.ndarray) -> Generation:
    """The candidates in these rows."""
    return Generation(
        [whole.items[i] for i in rows],
        [whole.labels[i] for i in rows],
        [whole.cells[i] for i in rows],
        [None] * len(rows),
    )
