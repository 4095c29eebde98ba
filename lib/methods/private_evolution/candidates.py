"""The candidates of a private evolution: invented by a model, varied from selected texts, and embedded.

Nothing here sees a private record. What goes in are labels, noisy shares of labels, and texts that the model wrote
before, so all of it is post-processing of what `lib.methods.private_evolution.evolution` releases.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lib.data.records import Record
from lib.generation.generate import Draws
from lib.methods.private_evolution.selection import quotas
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.shots import rotated
from lib.methods.private_evolution.text_api import Api, Progress

LABELS, CHOICE, RANDOM, VARY, LOOK_AHEAD, COPIES, SHOTS = range(7)  # streams of draws under ``seed``

Bars = Callable[[str, int], Progress]  # (what begins, of how many texts) -> what counts the texts


@dataclass
class Generation:
    """The candidates of an iteration, and what they cost. The lists have one entry a candidate.

    Attributes:
        texts: their texts.
        labels: their labels, name -> value.
        cells: number of each one's label cell.
        parents: index, in the generation before, of the text that each was varied from, or of itself where it was kept;
            None where it was invented.
        kept: how many were kept from the generation before; they come first.
        requested: texts that the model was asked for.
        rejected: replies that were rejected, by reason.
        tokens: tokens drawn, those of rejected replies included.
        seconds: time for ``writing`` and ``embedding``.
    """

    texts: list[str]
    labels: list[dict[str, str]]
    cells: list[int]
    parents: list[int | None]
    kept: int = 0
    requested: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    tokens: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Sequence[Record], cells: Sequence[int]) -> "Generation":
        """Candidates that some arm wrote: none of them varied from another, and nothing was asked for.

        Args:
            records: their texts and labels.
            cells: number of each one's label cell.
        """
        texts = [record.text.reveal() for record in records]
        return cls(texts, [dict(record.labels) for record in records], list(cells), [None] * len(texts))

    def add(
        self,
        drawn: Draws,
        labels: Sequence[Mapping[str, str]],
        cells: Sequence[int],
        parents: Sequence[int | None],
    ) -> None:
        """Append the texts that were drawn, and count what they cost.

        Args:
            drawn: the texts; a position without one is left out, but was requested.
            labels: labels of each position.
            cells: number of each position's label cell.
            parents: as the attribute, of each position.
        """
        self.count(drawn)
        for position, text in sorted(drawn.texts.items()):
            self.texts.append(text)
            self.labels.append(dict(labels[position]))
            self.cells.append(cells[position])
            self.parents.append(parents[position])

    def count(self, drawn: Draws) -> None:
        """Count what the draws ``drawn`` cost."""
        self.requested += drawn.requested
        self.tokens += drawn.tokens
        for reason, times in drawn.rejected.items():
            self.rejected[reason] = self.rejected.get(reason, 0) + times


class CandidateWriter:
    """Writes candidates and embeds them.

    Args:
        api: RANDOM_API and VARIATION_API.
        embed: texts -> vectors, float32, shape (texts, width).
        cells: labels of each cell, name -> value.
        shares: share of each cell, from the noisy label histogram; shape (cells,), sum 1.
        catalogue: public rows of further labels, of which one is drawn for each text; may be empty.
        settings: how to evolve.
    """

    def __init__(
        self,
        api: Api,
        embed: Callable[[Sequence[str]], np.ndarray],
        *,
        cells: Sequence[Mapping[str, str]],
        shares: np.ndarray,
        catalogue: Sequence[Mapping[str, str]],
        settings: Settings,
    ):
        self.api, self.embed, self.settings = api, embed, settings
        self.cells, self.shares, self.catalogue = cells, shares, catalogue

    def first(self, bars: Bars) -> Generation:
        """The first generation: RANDOM_API invents texts, for each cell in proportion to its noisy share.

        Args:
            bars: called once, with "random" and the number of texts.

        Raises:
            DoppelError: no reply was accepted.
        """
        settings = self.settings
        wanted = np.ceil(quotas(self.shares, settings.size(0)) * settings.growth).astype(int)
        cells = np.repeat(np.arange(len(self.cells)), wanted).tolist()
        rng = np.random.default_rng([settings.seed, LABELS])
        rows = rng.integers(len(self.catalogue), size=len(cells)) if self.catalogue else None
        labels = [
            {**self.cells[cell], **(self.catalogue[rows[i]] if rows is not None else {})}
            for i, cell in enumerate(cells)
        ]
        drawn = self.api.random(labels, RANDOM, progress=bars("random", len(labels))).require()
        invented = Generation([], [], [], [])
        invented.add(drawn, labels, cells, [None] * len(cells))
        return invented

    def following(
        self, number: int, before: Generation, noisy: np.ndarray, chosen: np.ndarray, bars: Bars
    ) -> Generation:
        """The next generation: ``variants`` candidates for each selected text, itself counted where it is kept.

        Args:
            number: of the iteration, at least 1.
            before: the generation before.
            noisy: its noisy votes, shape (candidates,); with ``bad_shots`` they say which texts are not wanted.
            chosen: indices of its selected texts, shape (selected,); an index can occur several times.
            bars: called once, with "variations" and the number of the iteration, and the number of texts.

        Raises:
            DoppelError: no reply was accepted and no text is kept, so there are no candidates.
        """
        settings = self.settings
        stays = first_of_each(chosen) & settings.keep_parents
        kept = chosen[stays].tolist()
        parents = np.repeat(chosen, settings.variants - stays).tolist()
        varied = Generation(
            *([column[i] for i in kept] for column in (before.texts, before.labels, before.cells)),
            parents=kept,
            kept=len(kept),
        )
        labels = [before.labels[i] for i in parents]
        progress = bars(f"variations {number}", len(parents))
        shown = None
        if settings.good_shots or settings.bad_shots:
            shown = rotated(
                before.texts,
                np.array(before.cells),
                noisy,
                chosen,
                parents,
                good=settings.good_shots,
                bad=settings.bad_shots,
                rng=np.random.default_rng([settings.seed, SHOTS, number]),
            )
        drawn = self.api.vary([before.texts[i] for i in parents], labels, VARY, number, shown=shown, progress=progress)
        if not kept:
            drawn.require()  # else nothing is left to vote for
        varied.add(drawn, labels, [before.cells[i] for i in parents], parents)
        return varied

    def vectors(self, number: int, generation: Generation, before: np.ndarray | None) -> np.ndarray:
        """Embeddings of a generation's candidates.

        Args:
            number: of the iteration.
            generation: the candidates; what look-ahead draws is added to their counts.
            before: embeddings of the generation before, which kept texts still have; None for the first generation.

        Returns:
            float32, shape (candidates, width). With ``lookahead_degree`` K > 0 the embedding of a candidate is the mean
            over K variations of it (Lin et al. 2024), or its own where no variation was accepted.
        """
        kept = generation.kept
        texts, labels = generation.texts[kept:], generation.labels[kept:]
        fresh = self._looked_ahead(number, texts, labels, generation) if texts else None
        if not kept:
            return fresh
        old = before[generation.parents[:kept]]
        return old if fresh is None else np.concatenate([old, fresh])

    def _looked_ahead(
        self, number: int, texts: list[str], labels: list[dict[str, str]], generation: Generation
    ) -> np.ndarray:
        degree = self.settings.lookahead_degree
        if not degree:
            return self.embed(texts)
        of = np.repeat(np.arange(len(texts)), degree)
        drawn = self.api.vary([texts[i] for i in of], [labels[i] for i in of], LOOK_AHEAD, number)
        generation.count(drawn)
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


def first_of_each(chosen: np.ndarray) -> np.ndarray:
    """Where an index in ``chosen``, shape (n,), occurs for the first time; bool, shape (n,)."""
    first = np.zeros(len(chosen), dtype=bool)
    first[np.unique(chosen, return_index=True)[1]] = True
    return first
