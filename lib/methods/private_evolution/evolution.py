"""The loop of private evolution: write, let the private records vote, select, vary (Lin et al. 2024; Xie et al. 2024).

Unit: one record, or one user. Neighbours: add or remove one unit. Sampler: everyone votes in every iteration.
Mechanism: each of the T iterations releases one histogram of votes with Gaussian noise
(`lib.methods.private_evolution.voting.noisy_votes`), whose sensitivity `lib.methods.private_evolution.voting` states; that is one event of T
compositions. All else (labels, selection, variation) is post-processing of these and of the noisy label
histogram, and the model sees labels and synthetic texts alone.

Every generation and every noisy histogram is kept on disk as soon as it exists, written whole: a run that was
killed anywhere reads them again, so no vote is held twice and no noise drawn twice. All other draws follow from
``seed`` and the iteration: there is no generator state to keep.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from lib.common.files import read_json, write_array, write_json
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.generation.generate import Draws
from lib.methods.private_evolution.selection import quotas, select
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.text_api import Api, Progress
from lib.methods.private_evolution.voting import VOTE, noisy_votes, sensitivity, vote

FIRST = "evolution/first.json"  # where a stage keeps the candidates that it began with
LABELS, CHOICE, RANDOM, VARY, LOOK_AHEAD, COPIES = range(6)  # streams of draws under ``seed``


@dataclass(frozen=True)
class Voters:
    """The private records, as they vote: embeddings (n, d), each one's cell (n,), and its user (n,) or None."""

    vectors: np.ndarray
    cells: np.ndarray
    owners: np.ndarray | None = None


@dataclass
class Generation:
    """The candidates of one iteration, and what they cost. The first ``kept`` are parents that stand again."""

    texts: list[str]
    labels: list[dict[str, str]]
    cells: list[int]
    parents: list[int | None]  # number in the generation before, of the parent or of the kept text itself
    kept: int = 0
    requested: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    tokens: int = 0  # drawn, those of rejected replies counted
    seconds: dict[str, float] = field(default_factory=dict)  # of writing and embedding


@dataclass(frozen=True)
class Iteration:
    """One iteration as it came out; ``noisy`` are votes (they may be negative), best of a cell first in ``chosen``."""

    number: int
    generation: Generation
    noisy: np.ndarray  # without noise these are clean: not to be shown
    chosen: np.ndarray

    @property
    def selected(self) -> list[str]:
        return [self.generation.texts[i] for i in self.chosen]

    def records(self) -> list[Record]:
        """What was selected, as records."""
        made = self.generation
        return [
            Record(f"{place:06d}", PrivateText(made.texts[i]), made.labels[i]) for place, i in enumerate(self.chosen)
        ]


class Evolution:
    """One run of private evolution, resumable wherever it was killed.

    Args:
        embed: texts -> float32 (texts, d), the encoder of ``voters``.
        cells: labels of each cell. shares: of each cell, from the noisy label histogram.
        catalogue: public rows of further labels, one drawn for each text; or none.
        folder: keeps generations and noisy votes; give the same one to go on.
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
        self.api, self.embed, self.voters, self.settings = api, embed, voters, settings
        self.cells, self.shares, self.catalogue, self.folder = cells, shares, catalogue, folder

    def run(
        self,
        progress: Callable[[str, int], Progress] = lambda what, total: lambda done: None,
        on_iteration: Callable[[Iteration], object] = lambda iteration: None,
    ) -> list[Iteration]:
        """All iterations. ``progress`` is told what begins and of how many texts; it gives what counts them."""
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
            )
            history.append(Iteration(number, generation, noisy, chosen))
            on_iteration(history[-1])
        return history

    def begin_with(self, first: Generation) -> None:
        """Start from candidates that another run of the same settings invented: RANDOM_API sees no private record, so
        nothing of the guarantee changes, and what is known is not written again. Call it before `run`."""
        if not self._file("generation", 0).exists():
            write_array(self._vectors(0), self._embedded(0, first))
            write_json(self._file("generation", 0), asdict(first))

    def result(self, last: Iteration) -> list[tuple[str, dict[str, str]]]:
        """The selected texts with their labels. One that was selected more than once gives variations for the rest."""
        texts, labels = last.generation.texts, last.generation.labels
        first = _first(last.chosen)
        again = last.chosen[~first].tolist()
        copies = self.api.vary([texts[i] for i in again], [labels[i] for i in again], COPIES).texts
        selected = [(texts[i], labels[i]) for i in last.chosen[first].tolist()]
        return selected + [(text, labels[again[position]]) for position, text in sorted(copies.items())]

    def _generation(
        self, number: int, history: Sequence[Iteration], progress: Callable[[str, int], Progress]
    ) -> tuple[Generation, np.ndarray]:
        """The candidates of an iteration and their embeddings: read, or else made and kept."""
        file = self._file("generation", number)
        if file.exists():
            return Generation(**read_json(file)), np.load(self._vectors(number))
        began = time.monotonic()
        made = self._vary(history[-1], progress) if history else self._random(progress)
        wrote = time.monotonic()
        vectors = self._embedded(number, made)
        made.seconds = {"writing": round(wrote - began, 2), "embedding": round(time.monotonic() - wrote, 2)}
        write_array(self._vectors(number), vectors)
        write_json(file, asdict(made))  # last: it says that the vectors are there too
        return made, vectors

    def _random(self, progress: Callable[[str, int], Progress]) -> Generation:
        """The first generation: RANDOM_API, each cell by its noisy share."""
        settings = self.settings
        wanted = np.ceil(quotas(self.shares, settings.size(0)) * settings.growth).astype(int)
        cells = np.repeat(np.arange(len(self.cells)), wanted).tolist()
        rng = np.random.default_rng([settings.seed, LABELS])
        rows = rng.integers(len(self.catalogue), size=len(cells)) if self.catalogue else None
        labels = [
            {**self.cells[cell], **(self.catalogue[rows[i]] if rows is not None else {})}
            for i, cell in enumerate(cells)
        ]
        drawn = self.api.random(labels, RANDOM, progress=progress("random", len(labels)))
        return _add(Generation([], [], [], []), drawn, labels, cells, [None] * len(cells))

    def _vary(self, before: Iteration, progress: Callable[[str, int], Progress]) -> Generation:
        """The next generation: ``variants`` candidates of each selected text."""
        old, settings = before.generation, self.settings
        stays = _first(before.chosen) & settings.keep_parents
        kept = before.chosen[stays].tolist()
        parents = np.repeat(before.chosen, settings.variants - stays).tolist()
        made = Generation(
            *([column[i] for i in kept] for column in (old.texts, old.labels, old.cells)), parents=kept, kept=len(kept)
        )
        labels = [old.labels[i] for i in parents]
        number = before.number + 1
        counted = progress(f"variations {number}", len(parents))
        drawn = self.api.vary([old.texts[i] for i in parents], labels, VARY, number, progress=counted)
        if not kept:
            drawn.require()  # else nobody is left to vote for
        return _add(made, drawn, labels, [old.cells[i] for i in parents], parents)

    def _embedded(self, number: int, made: Generation) -> np.ndarray:
        """Embeddings of the candidates, (candidates, d). A kept text's is read, for it was made before."""
        fresh = made.texts[made.kept :]
        vectors = self._looked_ahead(number, fresh, made.labels[made.kept :], made) if fresh else None
        if not made.kept:
            return vectors
        old = np.load(self._vectors(number - 1))[made.parents[: made.kept]]
        return old if vectors is None else np.concatenate([old, vectors])

    def _looked_ahead(
        self, number: int, texts: list[str], labels: list[dict[str, str]], made: Generation
    ) -> np.ndarray:
        """A candidate's embedding, or with K > 0 the mean over K variations of it (over itself if none came)."""
        degree = self.settings.lookahead_degree
        if not degree:
            return self.embed(texts)
        of = np.repeat(np.arange(len(texts)), degree)
        drawn = self.api.vary([texts[i] for i in of], [labels[i] for i in of], LOOK_AHEAD, number)
        _count(made, drawn)
        positions = sorted(drawn.texts)
        looked = self.embed([drawn.texts[p] for p in positions]) if positions else np.zeros((0, 0), np.float32)
        owners = of[positions]
        counts = np.bincount(owners, minlength=len(texts))
        alone = np.flatnonzero(counts == 0)
        own = self.embed([texts[i] for i in alone]) if len(alone) else looked[:0]
        sums = np.zeros((len(texts), (looked if len(looked) else own).shape[1]), np.float64)
        np.add.at(sums, owners, looked)
        sums[counts > 0] /= counts[counts > 0, None]
        if len(alone):
            sums[alone] = own
        return sums.astype(np.float32)

    def _noisy(self, number: int, generation: Generation, vectors: np.ndarray) -> np.ndarray:
        """The released histogram of an iteration, in votes: read, or else drawn and kept before anybody sees it."""
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
            owners=voters.owners,
        )
        if settings.noise_multiplier is None:
            return clean / VOTE  # not private: it is never written
        noisy = noisy_votes(
            clean,
            noise_multiplier=settings.noise_multiplier,
            sensitivity=sensitivity(settings.k_nn),
            privacy_seed=settings.privacy_seed,
            iteration=number,
        )
        write_json(file, noisy)
        return np.array(noisy, dtype=np.float64) / VOTE

    def _file(self, what: str, number: int) -> Path:
        return self.folder / f"{what}-{number:02}.json"

    def _vectors(self, number: int) -> Path:
        return self.folder / f"vectors-{number:02}.npy"


def lineage(history: Sequence[Iteration], texts: int) -> list[dict[str, str]]:
    """Selected texts, each traced back to what the model first invented: one row an iteration.

    Those that changed most often come first, and among these those that ended with most votes.
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


def _first(chosen: np.ndarray) -> np.ndarray:
    """Where an index occurs for the first time, boolean and of the same shape."""
    first = np.zeros(len(chosen), dtype=bool)
    first[np.unique(chosen, return_index=True)[1]] = True
    return first


def _count(made: Generation, drawn: Draws) -> None:
    made.requested += drawn.requested
    made.tokens += drawn.tokens
    for reason, count in drawn.rejected.items():
        made.rejected[reason] = made.rejected.get(reason, 0) + count


def _add(
    made: Generation,
    drawn: Draws,
    labels: Sequence[Mapping[str, str]],
    cells: Sequence[int],
    parents: Sequence[int | None],
) -> Generation:
    """The generation with what was drawn; a position that gave nothing is missing, and counted as requested."""
    _count(made, drawn)
    for position, text in sorted(drawn.texts.items()):
        made.texts.append(text)
        made.labels.append(dict(labels[position]))
        made.cells.append(cells[position])
        made.parents.append(parents[position])
    return made
