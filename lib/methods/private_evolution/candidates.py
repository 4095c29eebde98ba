"""The candidates of a private evolution: invented by an API, varied from selected ones, and embedded.

Nothing here sees a private record. What goes in are labels, noisy shares of labels, and items that the API made
before, so all of it is post-processing of what `lib.methods.private_evolution.evolution` releases.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic

import numpy as np

from lib.data.records import Record
from lib.generation.generate import Draws
from lib.methods.private_evolution.modality import Modality, Progress, Shelf, T
from lib.methods.private_evolution.selection import quotas
from lib.methods.private_evolution.settings import Settings
from lib.methods.private_evolution.shots import rotated

LABELS, CHOICE, RANDOM, VARY, LOOK_AHEAD, COPIES, SHOTS = range(7)  # streams of draws under ``seed``

Bars = Callable[[str, int], Progress]  # (what begins, of how many items) -> what counts them


@dataclass
class Generation(Generic[T]):
    """The candidates of an iteration, and what they cost. The lists have one entry a candidate.

    Attributes:
        items: their texts, or what else is evolved.
        labels: their labels, name -> value.
        cells: number of each one's label cell.
        parents: index, in the generation before, of the item that each was varied from, or of itself where it was kept;
            None where it was invented.
        kept: how many were kept from the generation before; they come first.
        requested: items that the API was asked for.
        rejected: replies that were rejected, by reason.
        tokens: tokens drawn, those of rejected replies included.
        seconds: time for ``writing`` and ``embedding``.
    """

    items: list[T]
    labels: list[dict[str, str]]
    cells: list[int]
    parents: list[int | None]
    kept: int = 0
    requested: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    tokens: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def packed(self, shelf: Shelf[T], file: Path) -> dict[str, Any]:
        """What a JSON file holds of the generation.

        Args:
            shelf: keeps the items.
            file: that JSON file; a shelf may keep items next to it.
        """
        columns = {column.name: getattr(self, column.name) for column in fields(self) if column.name != "items"}
        return {**shelf.put(self.items, file), **columns}

    @classmethod
    def unpacked(cls, kept: dict[str, Any], shelf: Shelf[T], file: Path) -> "Generation[T]":
        """The generation that `packed` made JSON of; its arguments, and ``kept``, which that file holds."""
        return cls(shelf.take(kept, file), **kept)

    @classmethod
    def of(cls, records: Sequence[Record], cells: Sequence[int]) -> "Generation":
        """Texts that some arm wrote as candidates: none of them varied from another, and nothing was asked for.

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
        """Append the items that were drawn, and count what they cost.

        Args:
            drawn: the items; a position without one is left out, but was requested.
            labels: labels of each position.
            cells: number of each position's label cell.
            parents: as the attribute, of each position.
        """
        self.count(drawn)
        for position, item in sorted(drawn.items.items()):
            self.items.append(item)
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
    """Has candidates made, and embeds them.

    Args:
        modality: what is evolved; its API and its encoder are used.
        cells: labels of each cell, name -> value.
        shares: share of each cell, from the noisy label histogram; shape (cells,), sum 1.
        catalogue: public rows of further labels, of which one is drawn for each item; may be empty.
        settings: how to evolve.
    """

    def __init__(
        self,
        modality: Modality[T],
        *,
        cells: Sequence[Mapping[str, str]],
        shares: np.ndarray,
        catalogue: Sequence[Mapping[str, str]],
        settings: Settings,
    ):
        self.modality, self.settings = modality, settings
        self.cells, self.shares, self.catalogue = cells, shares, catalogue

    def first(self, bars: Bars) -> Generation[T]:
        """The first generation: RANDOM_API invents items, for each cell in proportion to its noisy share.

        Args:
            bars: called once, with "random" and the number of items.

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
        drawn = self.modality.api.random(labels, RANDOM, progress=bars("random", len(labels))).require()
        invented = Generation([], [], [], [])
        invented.add(drawn, labels, cells, [None] * len(cells))
        return invented

    def following(
        self, number: int, before: Generation[T], noisy: np.ndarray, chosen: np.ndarray, bars: Bars
    ) -> Generation[T]:
        """The next generation: ``variants`` candidates for each selected item, itself counted where it is kept.

        Args:
            number: of the iteration, at least 1.
            before: the generation before.
            noisy: its noisy votes, shape (candidates,); with ``bad_shots`` they say which are not wanted.
            chosen: indices of its selected items, shape (selected,); an index can occur several times.
            bars: called once, with "variations" and the number of the iteration, and the number of items.

        Raises:
            DoppelError: no reply was accepted and nothing is kept, so there are no candidates.
        """
        settings = self.settings
        vote = number - 1  # the settings are those of the vote that chose the parents
        stays = first_of_each(chosen) & settings.at("keep_parents", vote)
        kept = chosen[stays].tolist()
        parents = np.repeat(chosen, settings.at("variants", vote) - stays).tolist()
        varied = Generation(
            *([column[i] for i in kept] for column in (before.items, before.labels, before.cells)),
            parents=kept,
            kept=len(kept),
        )
        labels = [before.labels[i] for i in parents]
        progress = bars(f"variations {number}", len(parents))
        shown = None
        if settings.good_shots or settings.bad_shots:
            shown = rotated(
                before.items,
                np.array(before.cells),
                noisy,
                chosen,
                parents,
                good=settings.good_shots,
                bad=settings.bad_shots,
                rng=np.random.default_rng([settings.seed, SHOTS, number]),
            )
        drawn = self.modality.api.vary(
            [before.items[i] for i in parents],
            labels,
            VARY,
            number,
            degree=settings.at("degrees", vote),
            shown=shown,
            progress=progress,
        )
        if not kept:
            drawn.require()  # else nothing is left to vote for
        varied.add(drawn, labels, [before.cells[i] for i in parents], parents)
        return varied

    def vectors(self, number: int, generation: Generation[T], before: np.ndarray | None) -> np.ndarray:
        """Embeddings of a generation's candidates.

        Args:
            number: of the iteration.
            generation: the candidates; what look-ahead draws is added to their counts.
            before: embeddings of the generation before, which kept items still have; None for the first generation.

        Returns:
            float32, shape (candidates, width). With ``lookahead_degree`` K > 0 the embedding of a candidate is the mean
            over K variations of it (Lin et al. 2024), or its own where no variation was accepted.
        """
        kept = generation.kept
        items, labels = generation.items[kept:], generation.labels[kept:]
        fresh = self._looked_ahead(number, items, labels, generation) if items else None
        if not kept:
            return fresh
        old = before[generation.parents[:kept]]
        return old if fresh is None else np.concatenate([old, fresh])

    def _looked_ahead(
        self, number: int, items: list[T], labels: list[dict[str, str]], generation: Generation[T]
    ) -> np.ndarray:
        settings, embed = self.settings, self.modality.encoder.encode
        if not settings.lookahead_degree:
            return embed(items)
        of = np.repeat(np.arange(len(items)), settings.lookahead_degree)
        drawn = self.modality.api.vary(
            [items[i] for i in of],
            [labels[i] for i in of],
            LOOK_AHEAD,
            number,
            degree=settings.at("degrees", number),  # so far would it be varied if it was selected
        )
        generation.count(drawn)
        positions = sorted(drawn.items)
        looked = embed([drawn.items[p] for p in positions]) if positions else np.zeros((0, 0), np.float32)
        owners = of[positions]
        counts = np.bincount(owners, minlength=len(items))
        alone = np.flatnonzero(counts == 0)
        own = embed([items[i] for i in alone]) if len(alone) else looked[:0]
        sums = np.zeros((len(items), (looked if len(looked) else own).shape[1]), np.float64)
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
