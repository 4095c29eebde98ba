"""The loop of private evolution, for texts and images alike: write, let the private records vote, select, vary.

It is that of Lin et al. 2024 and Xie et al. 2024. Texts, images and what makes them are one
`lib.methods.private_evolution.modality.Modality`.

Unit: one record, or one user with all records. Neighbours: add or remove one unit. Sampler: none, every unit votes in
every iteration. Mechanism: each of T iterations releases one histogram of votes with Gaussian noise
(`lib.methods.private_evolution.voting.noisy_votes`). Sensitivity: one unit changes a histogram by at most sqrt(k_nn)
votes in L2 norm (`lib.methods.private_evolution.voting.vote`). For the accountant that is one `Gaussian` with a count
of T. All else (labels, selection, variation) is post-processing of these histograms and of the noisy label histogram;
the API sees labels and synthetic items alone.

Every generation and every noisy histogram is written to the disk, whole, as soon as it exists. A run that was killed
anywhere reads them again, so no vote is held twice and no noise is drawn twice. All other draws follow from ``seed``
and the number of the iteration, so there is no generator state to keep.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import numpy as np

from lib.common.errors import DoppelError
from lib.common.files import read_json, write_array, write_json
from lib.data import labels
from lib.data.records import Record, owner_numbers
from lib.methods.private_evolution.candidates import CHOICE, COPIES, Bars, CandidateWriter, Generation, first_of_each
from lib.methods.private_evolution.modality import Modality, T
from lib.methods.private_evolution.selection import quotas, select
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.voting import VOTE, noisy_votes, sensitivity, vote

FIRST = "evolution/first.json"  # where a stage keeps the candidates that it began with
MADE_WITH = "made-with.json"  # in the folder of checkpoints: the API and the encoder that they are of


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
class Iteration(Generic[T]):
    """A finished iteration.

    Attributes:
        number: from 0.
        generation: its candidates.
        noisy: their noisy votes, float64, shape (candidates,); can be negative. Where ``noise_multiplier`` is None they
            are clean: private, not to be shown.
        chosen: indices of the selected candidates, shape (selected,), cell by cell, the best of a cell first.
    """

    number: int
    generation: Generation[T]
    noisy: np.ndarray
    chosen: np.ndarray

    @property
    def selected(self) -> list[T]:
        """The selected items."""
        return [self.generation.items[i] for i in self.chosen]

    def records(self, record: Callable[[str, T, Mapping[str, str]], Any]) -> list[Any]:
        """The selected items as records.

        Args:
            record: of `lib.methods.private_evolution.modality.Modality`.
        """
        items, labels = self.generation.items, self.generation.labels
        return [record(f"{place:06d}", items[i], labels[i]) for place, i in enumerate(self.chosen)]


class Evolution(Generic[T]):
    """A run of private evolution; can be resumed wherever it was killed.

    Args:
        modality: what is evolved; None for candidates that are never varied (`lib.methods.selection`).
        voters: the private records, in the space of its encoder.
        cells: labels of each cell, name -> value.
        shares: share of each cell, from the noisy label histogram; shape (cells,), sum 1.
        catalogue: public rows of further labels, of which one is drawn for each item; may be empty.
        settings: how to evolve.
        folder: keeps generations and noisy votes; give the same folder to go on.
    """

    def __init__(
        self,
        modality: Modality[T] | None,
        voters: Voters,
        *,
        cells: Sequence[Mapping[str, str]],
        shares: np.ndarray,
        catalogue: Sequence[Mapping[str, str]],
        settings: Settings,
        folder: Path,
    ):
        self.modality, self.voters, self.settings, self.folder = modality, voters, settings, folder
        self.cells, self.shares = cells, shares
        self.writer = CandidateWriter(modality, cells=cells, shares=shares, catalogue=catalogue, settings=settings)

    def run(
        self,
        progress: Bars = lambda title, total: lambda done: None,
        on_iteration: Callable[[Iteration], object] = lambda iteration: None,
    ) -> list[Iteration[T]]:
        """Run all iterations, or those that are left.

        Args:
            progress: (what begins, of how many items) -> function that is called with the number of items newly done.
            on_iteration: called with each finished iteration.

        Returns:
            The iterations, in order.

        Raises:
            DoppelError: the API made no usable item, the noise is too small to be accounted for, or the folder holds
                the work of another API or encoder.
        """
        self._bind()
        history: list[Iteration[T]] = []
        for number in range(self.settings.iterations):
            generation, vectors = self._generation(number, history, progress)
            noisy = self._noisy(number, generation, vectors)
            rng = np.random.default_rng([self.settings.seed, CHOICE, number])
            chosen = select(
                noisy,
                np.array(generation.cells),
                quotas(self.shares, self.settings.size(number)),
                threshold=self.settings.threshold,
                how=self.settings.at("selection", number),
                rng=rng,
                texts=generation.items,
                max_overlap=self.settings.max_overlap,
            )
            history.append(Iteration(number, generation, noisy, chosen))
            on_iteration(history[-1])
        return history

    def _bind(self) -> None:
        """Write down whose work the folder holds, and refuse that of others: their vectors are of another space."""
        made_with = {"api": self.modality.api.fingerprint, "encoder": self.modality.encoder.fingerprint}
        file = self.folder / MADE_WITH
        before = read_json(file) if file.exists() else made_with
        for name, fingerprint in made_with.items():
            if before[name] != fingerprint:
                raise DoppelError(
                    "methods.changed_on_resume",
                    f"this evolution was begun with another {name}: its files have changed since",
                    name=name,
                    remedy=f"put the {name} back as it was, or start the stage again with --force",
                )
        write_json(file, made_with)

    def begin_with(self, first: Generation[T]) -> None:
        """Start from candidates that are known, instead of what RANDOM_API invents; call this before `run`.

        They are those of another run with the same settings, or an arm's texts
        (`lib.methods.private_evolution.start`), whose accesses to private records are counted beside these votes.

        Args:
            first: the candidates. Ignored where this run has its first generation already.
        """
        file = self._file("generation", 0)
        if not file.exists():
            write_array(self.vectors_file(0), self.writer.vectors(0, first, None))
            write_json(file, first.packed(self.modality.shelf, file))

    def result(self, last: Iteration[T]) -> list[tuple[T, dict[str, str]]]:
        """The synthetic items with their labels.

        Args:
            last: the last iteration.

        Returns:
            Each selected item once; where it was selected several times, variations of it for the rest, after all
            selected ones. With ``final`` ``varied``, variations alone, one for each time that an item was selected.
            Variations that were rejected in every round are missing.
        """
        items, labels = last.generation.items, last.generation.labels
        stays = first_of_each(last.chosen) & (self.settings.final == "selected")
        again = last.chosen[~stays].tolist()
        copies = self.modality.api.vary(
            [items[i] for i in again],
            [labels[i] for i in again],
            COPIES,
            degree=self.settings.at("degrees", last.number),
        ).items
        selected = [(items[i], labels[i]) for i in last.chosen[stays].tolist()]
        return selected + [(item, labels[again[position]]) for position, item in sorted(copies.items())]

    def vectors_file(self, number: int) -> Path:
        """The file with the embeddings of the candidates of iteration ``number``: float32, (candidates, width)."""
        return self.folder / f"vectors-{number:02}.npy"

    def _file(self, name: str, number: int) -> Path:
        return self.folder / f"{name}-{number:02}.json"

    def _generation(
        self, number: int, history: Sequence[Iteration[T]], progress: Bars
    ) -> tuple[Generation[T], np.ndarray]:
        """The candidates of an iteration and their embeddings: read from the disk, or else written and kept there."""
        file = self._file("generation", number)
        if file.exists():
            made = Generation.unpacked(read_json(file), self.modality.shelf, file)
            return made, np.load(self.vectors_file(number))
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
        write_json(file, made.packed(self.modality.shelf, file))  # last: this file says that the vectors are there too
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


def lineage(history: Sequence[Iteration[T]], count: int, name: str = "text") -> list[dict[str, T]]:
    """Selected items, each traced back to what was first invented.

    Args:
        history: all iterations.
        count: how many items to trace, at most; those that changed most often first, then those with most noisy votes.
        name: of an item.

    Returns:
        A row for each iteration: ``vote`` (from 1), and the ancestors of that iteration as ``text 1``, ``text 2``, ...
    """
    last = history[-1]
    lines = []
    for index in dict.fromkeys(last.chosen.tolist()):
        line, at = [], index
        for iteration in reversed(history):
            line.append(iteration.generation.items[at])
            at = iteration.generation.parents[at]
        lines.append((-len(set(line)), -last.noisy[index], line[::-1]))
    chosen = [line for *_, line in sorted(lines)[:count]]
    return [
        {"vote": row + 1, **{f"{name} {number}": line[row] for number, line in enumerate(chosen, 1)}}
        for row in range(len(history))
    ]
