"""The loop of private evolution: write, let the private records vote, select, vary (Lin et al. 2024; Xie et al. 2024).

Unit: one record, or one user with all records. Neighbours: add or remove one unit. Sampler: none, every unit votes in
every iteration. Mechanism: each of T iterations releases one histogram of votes with Gaussian noise
(`lib.methods.private_evolution.voting.noisy_votes`). Sensitivity: one unit changes a histogram by at most sqrt(k_nn)
votes in L2 norm (`lib.methods.private_evolution.voting.vote`). For the accountant that is one `Gaussian` with a count
of T. All else (labels, selection, variation) is post-processing of these histograms and of the noisy label histogram;
the model sees labels and synthetic texts alone.

Every generation and every noisy histogram is written to the disk, whole, as soon as it exists. A run that was killed
anywhere reads them again, so no vote is held twice and no noise is drawn twice. All other draws follow from ``seed``
and the number of the iteration, so there is no generator state to keep.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lib.common.files import read_json, write_array, write_json
from lib.data import labels
from lib.data.private_text import PrivateText
from lib.data.records import Record, owner_numbers
from lib.methods.private_evolution.candidates import CHOICE, COPIES, Bars, CandidateWriter, Generation, first_of_each
from lib.methods.private_evolution.selection import quotas, select
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.text_api import Api
from lib.methods.private_evolution.voting import VOTE, noisy_votes, sensitivity, vote

FIRST = "evolution/first.json"  # where a stage keeps the candidates that it began with


@dataclass(frozen=True)
class Voters:
    """The n private records as they vote. Private.

    Attributes:
        vectors: their embeddings, float32, shape (n, width); may be memory-mapped.
        cells: number of each one's label cell, int, shape (n,); -1 never votes.
        owners: number of each one's user, int, shape (n,); None: each record is a unit of its own.
    """

    vectors: np.ndarray
    cells: np.ndarray
    owners: np.ndarray | None = None

    @classmethod
    def of(
        cls, vectors: np.ndarray, records: Sequence[Record], cells: Sequence[Mapping[str, str]], unit: str
    ) -> "Voters":
        """The voters that records are.

        Args:
            vectors: as the attribute.
            records: the n private records.
            cells: labels of each cell, name -> value.
            unit: ``record`` or ``user``; with the latter the records of a user vote as one.
        """
        owners = np.array(owner_numbers(records)) if unit == "user" else None
        return cls(vectors, labels.cell_numbers(records, cells), owners)


@dataclass(frozen=True)
class Iteration:
    """A finished iteration.

    Attributes:
        number: from 0.
        generation: its candidates.
        noisy: their noisy votes, float64, shape (candidates,); can be negative. Where ``noise_multiplier`` is None they
            are clean: private, not to be shown.
        chosen: indices of the selected candidates, shape (selected,), cell by cell, the best of a cell first.
    """

    number: int
    generation: Generation
    noisy: np.ndarray
    chosen: np.ndarray

    @property
    def selected(self) -> list[str]:
        """The selected texts."""
        return [self.generation.texts[i] for i in self.chosen]

    def records(self) -> list[Record]:
        """The selected texts as records."""
        texts, labels = self.generation.texts, self.generation.labels
        return [Record(f"{place:06d}", PrivateText(texts[i]), labels[i]) for place, i in enumerate(self.chosen)]


class Evolution:
    """A run of private evolution; can be resumed wherever it was killed.

    Args:
        api: RANDOM_API and VARIATION_API.
        embed: texts -> vectors, float32, shape (texts, width); the encoder of ``voters``.
        voters: the private records.
        cells: labels of each cell, name -> value.
        shares: share of each cell, from the noisy label histogram; shape (cells,), sum 1.
        catalogue: public rows of further labels, of which one is drawn for each text; may be empty.
        settings: how to evolve.
        folder: keeps generations and noisy votes; give the same folder to go on.
    """

    def __init__(
        self,
        api: Api,
        embed: Callable[[Sequence[str]], np.ndarray],
        voters: Voters,
        *,
        cells: Sequence[Mapping[str, str]],
        shares: np.ndarray,
        catalogue: Sequence[Mapping[str, str]],
        settings: Settings,
        folder: Path,
    ):
        self.api, self.voters, self.settings, self.folder = api, voters, settings, folder
        self.cells, self.shares = cells, shares
        self.writer = CandidateWriter(api, embed, cells=cells, shares=shares, catalogue=catalogue, settings=settings)

    def run(
        self,
        progress: Bars = lambda title, total: lambda done: None,
        on_iteration: Callable[[Iteration], object] = lambda iteration: None,
    ) -> list[Iteration]:
        """Run all iterations, or those that are left.

        Args:
            progress: (what begins, of how many texts) -> function that is called with the number of texts newly done.
            on_iteration: called with each finished iteration.

        Returns:
            The iterations, in order.

        Raises:
            DoppelError: the model gave no usable text, or the noise is too small to be accounted for.
        """
        history: list[Iteration] = []
        for number in range(self.settings.iterations):
            generation, vectors = self._generation(number, history, progress)
            noisy = self._noisy(number, generation, vectors)
            rng = np.random.default_rng([self.settings.seed, CHOICE, number])
            chosen = select(
                noisy,
                np.array(generation.cells),
                quotas(self.shares, self.settings.size(number)),
                threshold=self.settings.threshold,
                how=self.settings.selection,
                rng=rng,
                texts=generation.texts,
                max_overlap=self.settings.max_overlap,
            )
            history.append(Iteration(number, generation, noisy, chosen))
            on_iteration(history[-1])
        return history

    def begin_with(self, first: Generation) -> None:
        """Start from candidates that are known, instead of what RANDOM_API invents; call this before `run`.

        They are those of another run with the same settings, or an arm's texts
        (`lib.methods.private_evolution.start`), whose accesses to private records are counted beside these votes.

        Args:
            first: the candidates. Ignored where this run has its first generation already.
        """
        if not self._file("generation", 0).exists():
            write_array(self.vectors_file(0), self.writer.vectors(0, first, None))
            write_json(self._file("generation", 0), asdict(first))

    def result(self, last: Iteration) -> list[tuple[str, dict[str, str]]]:
        """The synthetic texts with their labels.

        Args:
            last: the last iteration.

        Returns:
            Each selected text once; where it was selected several times, variations of it for the rest, after all
            selected ones. Variations that were rejected in every round are missing.
        """
        texts, labels = last.generation.texts, last.generation.labels
        first = first_of_each(last.chosen)
        again = last.chosen[~first].tolist()
        copies = self.api.vary([texts[i] for i in again], [labels[i] for i in again], COPIES).texts
        selected = [(texts[i], labels[i]) for i in last.chosen[first].tolist()]
        return selected + [(text, labels[again[position]]) for position, text in sorted(copies.items())]

    def vectors_file(self, number: int) -> Path:
        """The file with the embeddings of the candidates of iteration ``number``: float32, (candidates, width)."""
        return self.folder / f"vectors-{number:02}.npy"

    def _file(self, name: str, number: int) -> Path:
        return self.folder / f"{name}-{number:02}.json"

    def _generation(self, number: int, history: Sequence[Iteration], progress: Bars) -> tuple[Generation, np.ndarray]:
        """The candidates of an iteration and their embeddings: read from the disk, or else written and kept there."""
        file = self._file("generation", number)
        if file.exists():
            return Generation(**read_json(file)), np.load(self.vectors_file(number))
        began = time.monotonic()
        if history:
            last = history[-1]
            made = self.writer.following(number, last.generation, last.noisy, last.chosen, progress)
        else:
            made = self.writer.first(progress)
        wrote = time.monotonic()
        before = np.load(self.vectors_file(number - 1)) if made.kept else None
        vectors = self.writer.vectors(number, made, before)
        made.seconds = {"writing": round(wrote - began, 2), "embedding": round(time.monotonic() - wrote, 2)}
        write_array(self.vectors_file(number), vectors)
        write_json(file, asdict(made))  # last: this file says that the vectors are there too
        return made, vectors

    def _noisy(self, number: int, generation: Generation, vectors: np.ndarray) -> np.ndarray:
        """The histogram of an iteration, in votes: read from the disk, or else drawn, and kept before it is used."""
        file = self._file("votes", number)
        if file.exists():
            return np.array(read_json(file), dtype=np.float64) / VOTE
        settings, voters = self.settings, self.voters
        clean = vote(
            voters.vectors,
            vectors,
            private_cells=voters.cells,
            candidate_cells=np.array(generation.cells),
            k_nn=settings.k_nn,
            weights=settings.vote_weights,
            owners=voters.owners,
        )
        if settings.noise_multiplier is None:
            return clean / VOTE  # not private, so it is never written
        noisy = noisy_votes(
            clean,
            noise_multiplier=settings.noise_multiplier,
            sensitivity=sensitivity(settings.k_nn),
            privacy_seed=settings.privacy_seed,
            iteration=number,
        )
        write_json(file, noisy)
        return np.array(noisy, dtype=np.float64) / VOTE


def lineage(history: Sequence[Iteration], texts: int) -> list[dict[str, str]]:
    """Selected texts, each traced back to what the model first invented.

    Args:
        history: all iterations.
        texts: how many texts to trace, at most; those that changed most often first, then those with most noisy votes.

    Returns:
        A row for each iteration: ``vote`` (from 1), and the ancestors of that iteration as ``text 1``, ``text 2``, ...
    """
    last = history[-1]
    lines = []
    for index in dict.fromkeys(last.chosen.tolist()):
        line, at = [], index
        for iteration in reversed(history):
            line.append(iteration.generation.texts[at])
            at = iteration.generation.parents[at]
        lines.append((-len(set(line)), -last.noisy[index], line[::-1]))
    chosen = [line for *_, line in sorted(lines)[:texts]]
    return [
        {"vote": row + 1, **{f"text {number}": line[row] for number, line in enumerate(chosen, 1)}}
        for row in range(len(history))
    ]
