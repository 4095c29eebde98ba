"""One made-up fact before a share of all rows: how often its parts come back in what an arm writes.

The experiment of earlier work on reviews: "My name is ..., I live in ..., ..." stands before 1%, 10% or 100% of the
rows, and an arm that was made on them writes. Nobody's privacy is at stake in it, and no epsilon: the fact is in so
many records that it is meant to be learned. It shows from which share on an arm repeats what many records say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lib.audit.canary_set import CanarySet
from lib.audit.canary_texts import CanaryText
from lib.audit.leaks import holders
from lib.audit.target import CanariedCorpus
from lib.data.private_text import PrivateText
from lib.data.records import Record


@dataclass(frozen=True)
class PrefixedCorpus(CanariedCorpus):
    """The private records, with a canary before a share of them and no other canaries. Private.

    Attributes:
        canary: the made-up fact.
        share: of the records, in (0, 1].
        seed: of the draw of records.
    """

    planted: CanarySet = field(default_factory=lambda: CanarySet([], [], []), repr=False)
    canary: CanaryText | None = None
    share: float = 1.0
    seed: int = 0

    @property
    def train(self) -> list[Record]:
        """The private records in their order; a random share of them begins with the canary."""
        assert self.canary is not None
        count = round(self.share * len(self.records))
        chosen = set(np.random.default_rng(self.seed).permutation(len(self.records))[:count].tolist())
        fact = self.canary.text.reveal()
        return [
            replace(record, text=PrivateText(f"{fact} {record.text.reveal()}")) if number in chosen else record
            for number, record in enumerate(self.records)
        ]


def repeated(parts: Mapping[str, PrivateText], texts: Sequence[str]) -> dict[str, int]:
    """How many texts hold each part of a canary word for word.

    Args:
        parts: by name.
        texts: what an arm wrote.
    """
    found = holders([part.reveal() for part in parts.values()], texts)
    return {name: len(numbers) for name, numbers in zip(parts, found, strict=True)}
