"""Which text is written for each record: its field, style, locale, and whether it is messy or holds a hard negative.

Each record has a seed of its own, made from the stage's seed and the record's number. So every record is the same
whichever process writes it, in whatever order, and in a set of whatever size (but for the fields of ``iterate``).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from random import Random
from typing import Literal, NamedTuple

from lib.common.errors import DoppelError
from lib.data.hash_order import rank
from lib.pii.locales import locale_named
from lib.pii.values import Ranges, Values

Mode = Literal["iterate", "random"]


class Task(NamedTuple):
    """What is written for one record.

    Attributes:
        number: of the record, from 0.
        field: of life: ``bank``.
        style: of interaction: ``chat``.
        locale: of its persons: ``en_GB``.
        aside: whether it gets a hard negative.
        messy: whether it gets typing errors.
        seed: of all its draws.
    """

    number: int
    field: str
    style: str
    locale: str
    aside: bool
    messy: bool
    seed: int

    def rng(self, purpose: str) -> Random:
        """The random stream of a ``purpose``, from its start."""
        return Random(rank(self.seed, "pii.task", purpose))


@dataclass(frozen=True)
class Plan:
    """How texts are spread.

    Args:
        samples: number of records, at least 1.
        mode: ``iterate``: every field with every style equally often, the rest spread evenly over the pairs;
            ``random``: a pair is drawn for each record.
        fields: at least one; different.
        styles: at least one; different.
        locales: share of each locale, above 0; they are divided by their sum.
        negatives: share of the records with a hard negative, in [0, 1].
        messy: share of the records with typing errors, in [0, 1].
        seed: at least 0.
        reference: the day on which all texts are written.
        values: ranges that values come from, see `lib.pii.values.Values`.

    Raises:
        DoppelError: ``pii.too_few_samples`` where ``iterate`` cannot write each pair once; ``pii.locale_shares``;
            ``pii.unknown_locale``.
    """

    samples: int
    mode: Mode
    fields: Sequence[str]
    styles: Sequence[str]
    locales: Mapping[str, float]
    negatives: float
    messy: float
    seed: int
    reference: date
    values: Ranges = "plausible"

    def __post_init__(self) -> None:
        check_samples(self.samples, self.mode, len(self.fields) * len(self.styles))
        check_locales(self.locales)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All pairs of field and style."""
        return list(product(self.fields, self.styles))

    def task(self, number: int) -> Task:
        """The task of a record, from 0."""
        seed = rank(self.seed, "pii.record", str(number))
        rng = Random(rank(seed, "pii.task", "plan"))
        field, style = self._pair(number) if self.mode == "iterate" else rng.choice(self.pairs)
        (locale,) = rng.choices(list(self.locales), list(self.locales.values()))
        return Task(number, field, style, locale, rng.random() < self.negatives, rng.random() < self.messy, seed)

    def new_values(self, task: Task) -> Values:
        """The values of a task's persons and things, none of them drawn yet."""
        return Values(task.seed, task.locale, self.reference, self.values)

    def _pair(self, number: int) -> tuple[str, str]:
        """Round by round all pairs; in the last round the pairs that are reached by even steps."""
        pairs = self.pairs
        whole, rest = divmod(self.samples, len(pairs))
        if number < whole * len(pairs):
            return pairs[number % len(pairs)]
        return pairs[(number - whole * len(pairs)) * len(pairs) // rest]

    def __str__(self) -> str:
        whole, rest = divmod(self.samples, len(self.pairs))
        shares = ", ".join(f"{name} {share / sum(self.locales.values()):.0%}" for name, share in self.locales.items())
        if self.mode == "random":
            spread = f"each of {len(self.pairs)} pairs of field and style by chance"
        else:
            more = f", {rest} of them one more" if rest else ""
            spread = f"{len(self.pairs)} pairs of field and style have {whole} texts each{more}"
        return f"{self.samples:,} texts: {spread}; locales: {shares}"


def check_samples(samples: int, mode: Mode, pairs: int) -> None:
    """Refuse fewer texts than there are pairs of field and style, where every pair is to be written.

    Args:
        samples: number of records.
        mode: ``iterate`` or ``random``.
        pairs: of field and style.
    """
    if mode == "iterate" and samples < pairs:
        raise DoppelError(
            "pii.too_few_samples",
            f"samples = {samples} is below the {pairs} pairs of field and style, each of which mode: iterate writes",
            name="samples",
            value=samples,
            remedy=f"set samples to {pairs} or more, name fewer fields or styles, or set mode: random",
        )


def check_locales(locales: Mapping[str, float]) -> None:
    """Refuse shares of locales that cannot be drawn from, and locales that are not known.

    Args:
        locales: share of each.
    """
    for name in locales:
        locale_named(name)
    if not locales or not all(share > 0 for share in locales.values()):
        raise DoppelError(
            "pii.locale_shares",
            "locales: each locale has a share above 0, and there is at least one",
            name="locales",
            value=dict(locales),
            remedy="write locales: {en_US: 0.7, en_GB: 0.3}",
        )


def spread(tasks: Sequence[Task]) -> Counter[tuple[str, str]]:
    """How many texts each pair of field and style has."""
    return Counter((task.field, task.style) for task in tasks)
