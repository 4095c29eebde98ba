"""Canaries: made-up records, each put into the train set by a fair coin, whose traces an audit then looks for.

A canary is an ordinary record with labels and an owner of its own, so adding one is a step between neighbouring
datasets, and epsilon limits how well its coin can be guessed. `lib.audit.canary_texts` makes the texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.audit.canary_texts import CanaryText
from lib.common.errors import DoppelError
from lib.data.private_text import PrivateText
from lib.data.records import Record


@dataclass(frozen=True, slots=True)
class Canary:
    """A canary with its coin.

    Attributes:
        record: the canary as a record.
        included: whether its coin put it into the train set.
        kind: as in `CanaryText`.
        parts: as in `CanaryText`.
    """

    record: Record
    included: bool
    kind: str
    parts: Mapping[str, PrivateText]

    def as_json(self) -> dict:
        """A row of a table that may be saved: the text is made up, and ``fake`` says so."""
        parts = {name: part.reveal() for name, part in self.parts.items()}
        return {"fake": True, "kind": self.kind, "included": self.included, **self.record.as_json(), "parts": parts}


def toss(texts: Sequence[CanaryText], *, cells: Sequence[Mapping[str, str]], rng: np.random.Generator) -> list[Canary]:
    """Give every canary labels and toss its coin.

    Args:
        texts: the canaries' texts, all different.
        cells: complete label sets, as `lib.data.labels.cells` lists them, so that a canary has the labels of a record;
            one is drawn uniformly for each canary.
        rng: draws the labels, then one fair coin for each canary, all independent.

    Returns:
        The canaries in the order of ``texts``, with the ids ``canary-00000``, ``canary-00001``, ...

    Raises:
        DoppelError: there are no cells, or two texts are equal.
    """
    if not cells:
        raise DoppelError(
            "audit.cells_missing",
            "no cell to draw labels from",
            name="cells",
            value=0,
            remedy="pass [{}] for records without labels",
        )
    distinct = len({canary.text for canary in texts})
    if distinct < len(texts):
        raise DoppelError(
            "audit.canary_texts_equal",
            f"only {distinct} of {len(texts)} canaries have texts of their own, so their coins could not be told apart",
            name="texts",
            value=distinct,
        )
    labels = [dict(cells[i]) for i in rng.integers(len(cells), size=len(texts))]
    coins = rng.random(len(texts)) < 0.5
    return [
        Canary(Record(f"canary-{number:05d}", canary.text, label), bool(coin), canary.kind, canary.parts)
        for number, (canary, label, coin) in enumerate(zip(texts, labels, coins, strict=True))
    ]


def insert(records: Sequence[Record], canaries: Sequence[Canary]) -> list[Record]:
    """Append the included canaries to a train set.

    Args:
        records: the train set.
        canaries: all canaries; those whose coin said out are left out.

    Returns:
        The records in their order, then the included canaries in theirs.

    Raises:
        DoppelError: a canary has the id of a record.
    """
    return _append(records, [canary.record for canary in canaries if canary.included])


@dataclass(frozen=True, slots=True)
class Repetition:
    """Canaries that come several times each when they are included, to see how leaks grow with repetition.

    A coin here moves a group of records, so epsilon for one record does not limit guesses about it.

    Attributes:
        canaries: with one coin for all copies of a canary.
        copies: how often each comes, at least 1.

    Raises:
        DoppelError: ``copies`` is below 1.
    """

    canaries: Sequence[Canary]
    copies: int

    def __post_init__(self) -> None:
        if self.copies < 1:
            raise DoppelError(
                "audit.copies_too_few",
                f"copies = {self.copies}, it must be at least 1",
                name="copies",
                value=self.copies,
            )

    def insert(self, records: Sequence[Record]) -> list[Record]:
        """Append every copy of the included canaries to ``records``; each copy has an id of its own.

        Raises:
            DoppelError: a copy has the id of a record.
        """
        copied = [
            replace(canary.record, id=f"{canary.record.id}.{copy:03d}")
            for canary in self.canaries
            if canary.included
            for copy in range(self.copies)
        ]
        return _append(records, copied)


def _append(records: Sequence[Record], added: Sequence[Record]) -> list[Record]:
    if taken := {record.id for record in records} & {record.id for record in added}:
        raise DoppelError(
            "audit.canary_ids_taken",
            f"{len(taken)} canaries have the id of a record",
            name="canaries",
            value=len(taken),
            remedy="take a corpus that holds no canaries yet",
        )
    return [*records, *added]
