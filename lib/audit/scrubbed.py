"""Canaries that go through a scrubber before an arm is made again, as the records of its corpus did.

The same canaries are planted twice, scrubbed and as they are, into the same scrubbed records. The attacks ask for the
canaries as they are both times, since that is what an attacker wants to know: the name, not the slot. What an arm that
saw them unscrubbed shows more is what scrubbing keeps out of it. It bounds no epsilon. *Evaluation only.*
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lib.audit.canaries import Canary
from lib.audit.canary_set import CanarySet
from lib.audit.canary_texts import WHOLE, CanaryText
from lib.audit.leaks import holders
from lib.audit.target import CanariedCorpus
from lib.data.private_text import PrivateText
from lib.data.records import Record

Scrub = Callable[[str], str]
PERSONAL = "personal"  # the kind of canaries with a name, a street and a phone number


@dataclass(frozen=True)
class ScrubbedCorpus(CanariedCorpus):
    """Private records with canaries behind them, of which training sees what a scrubber left. Private.

    Attributes:
        scrub: what the corpus stage did to a text.
    """

    scrub: Scrub = field(default=str, repr=False)

    @classmethod
    def of(cls, corpus: CanariedCorpus, scrub: Scrub) -> "ScrubbedCorpus":
        """The same corpus with scrubbed canaries; what arms compute once is shared with it.

        Args:
            corpus: whose records are scrubbed already.
            scrub: what the corpus stage did to a text.
        """
        return cls(**{name: getattr(corpus, name) for name in CanariedCorpus.__dataclass_fields__}, scrub=scrub)

    @property
    def train(self) -> list[Record]:
        """The private records, and behind them the included canaries, scrubbed, each as often as it has copies."""
        train = super().train
        planted = (replace(r, text=PrivateText(self.scrub(r.text.reveal()))) for r in train[len(self.records) :])
        return [*self.records, *planted]


@dataclass(frozen=True, slots=True)
class Exposed:
    """How much of the planted persons an arm gives away. Counts are numbers of canaries.

    Attributes:
        copies: of each of them in the train set.
        included: how many were in.
        left: of those, how many had a name, street or phone number left in what was trained on.
        came_back: of those in, how many have one that stands in a text of the arm word for word.
        bits_in: mean rank exposure of those in, in bits; None where there are none, or the arm has no loss.
        bits_out: likewise of those that were left out: what chance gives.
    """

    copies: int
    included: int
    left: int
    came_back: int
    bits_in: float | None
    bits_out: float | None


def exposed(
    planted: CanarySet, world: CanariedCorpus, texts: Sequence[str], bits: Mapping[int, np.ndarray] | None
) -> list[Exposed]:
    """How much of the planted persons an arm gives away, by the number of copies.

    Args:
        planted: the canaries, as they were before any scrubbing.
        world: that the arm was made again on, scrubbed or not.
        texts: what the arm wrote.
        bits: rank exposure of the canaries by number of copies (`lib.audit.attack.scores_of`); None: not measured.
    """
    rows, scrub = [], _scrub_of(world)
    for copies, group in planted.groups.items():
        members = [(number, canary) for number, canary in enumerate(group) if canary.kind == PERSONAL]
        inside = [canary for _, canary in members if canary.included]
        seen = [scrub(canary.record.text.reveal()) for canary in inside]
        by_coin = (
            [bits[copies][number] for number, canary in members if canary.included is coin] if bits is not None else []
            for coin in (True, False)
        )
        means = [float(np.mean(values)) if values else None for values in by_coin]
        left = sum(_held([canary], [text]) for canary, text in zip(inside, seen, strict=True))
        rows.append(Exposed(copies, len(inside), left, _held(inside, texts), *means))
    return rows


def cleaned(fact: CanaryText, world: CanariedCorpus) -> CanaryText:
    """A canary's text as training sees it; the parts that are looked for stay as they were.

    Args:
        fact: the canary.
        world: that it is planted in, scrubbed or not.
    """
    return replace(fact, text=PrivateText(_scrub_of(world)(fact.text.reveal())))


def _scrub_of(world: CanariedCorpus) -> Scrub:
    return world.scrub if isinstance(world, ScrubbedCorpus) else str


def _held(members: Sequence[Canary], texts: Sequence[str]) -> int:
    """How many canaries have a part, be it not their whole text, that stands in a text."""
    parts = [
        (number, part.reveal())
        for number, canary in enumerate(members)
        for name, part in canary.parts.items()
        if name != WHOLE
    ]
    found = holders([part for _, part in parts], texts)
    return len({number for (number, _), places in zip(parts, found, strict=True) if places})
