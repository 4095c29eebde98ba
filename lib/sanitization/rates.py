"""How often sanitized texts leak, between texts that were not sanitized (floor) and texts with all masked (ceiling).

A **direct** leak: the value stands in the text. **Inferred**: it does not, but a guess from the text is right.
**Proximity**: the guess is near. Each leak counts once, as the first of these. A record succeeds only without any leak
of any target. All three sides go through the same functions, so that floor and ceiling say what the check itself does.
Beside the leaks stands how often the guess is right, whether the value stands there or not: from the original, that is
what the guesser can read at all.

Unit: one record; records are drawn independently. Intervals: 95%, percentile bootstrap over records. Where every draw
is alike (all or none have a property), the exact one of Clopper and Pearson (1934), a record counting as one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import binomtest

from lib.common import jsonl
from lib.evaluation.bootstrap import ratio
from lib.sanitization.closeness import WORDS, Nearness, Pair, Words, nearness
from lib.sanitization.guesses import SIDES, Guesses, Side, checked_attributes, text_of
from lib.sanitization.leaks import Searched, direct, mentions
from lib.sanitization.retention import readable
from lib.sanitization.schema import Sanitized

Leak = Literal["direct", "inferred", "proximity", "none", "unknown"]
KINDS: tuple[Leak, ...] = ("direct", "inferred", "proximity")
_GUESSED: dict[Nearness | None, Leak] = {"same": "inferred", "near": "proximity", "other": "none", None: "unknown"}


@dataclass(frozen=True)
class Checked:
    """An attribute of a record on one side. It holds no text and no value.

    Attributes:
        id: of the record.
        side: which text was looked at.
        name: of the attribute.
        kept: whether it was to be kept; False: it is a target.
        leak: of a target: what leaks; ``unknown``: no direct leak, and no guess was to be had. ``none`` for a kept one.
        guessed: how near the guess came, whether the value stands in the text or not; None where there is no guess.
        readable: of a kept attribute: whether it can still be read. False for a target.
    """

    id: str
    side: Side
    name: str
    kept: bool
    leak: Leak
    guessed: Nearness | None
    readable: bool


class Rate(NamedTuple):
    """A share with its interval.

    Attributes:
        side: which texts.
        metric: a key of `METRICS`.
        value: in [0, 1].
        low: end of the 95% interval.
        high: end of the 95% interval.
        of: attributes, or records, that it is a share of.
        records: that they are of.
    """

    side: Side
    metric: str
    value: float
    low: float
    high: float
    of: int
    records: int


def check(records: Sequence[Sanitized], guesses: Guesses, by_words: Words = WORDS) -> list[Checked]:
    """Look for leaks of every target and for every kept attribute, on all sides that were guessed from.

    Args:
        records: with ids that differ.
        guesses: of `lib.sanitization.guesses.guess_all` for these records.
        by_words: when a guess in words is near.

    Returns:
        In the order of sides, records and attributes.
    """
    sides = {side for _, side in (*guesses.made, *guesses.failures)}
    rows, pairs = [], []
    for side in (side for side in SIDES if side in sides):
        for record in records:
            searched, guessed = Searched(text_of(record, side)), guesses.made.get((record.id, side))
            for one in checked_attributes(record):
                rows.append((record, side, one, searched, None if guessed is None else len(pairs)))
                if guessed is not None:
                    pairs.append(Pair(one.value, guessed.get(one.name, ""), one.label))
    near = nearness(pairs, by_words)
    found = []
    for record, side, one, searched, place in rows:
        values, guess = mentions(one, record.text), None if place is None else near[place]
        if one.name in record.targets.keep:
            found.append(Checked(record.id, side, one.name, True, "none", guess, readable(values, searched, guess)))
        else:
            leak = "direct" if direct(values, searched) else _GUESSED[guess]
            found.append(Checked(record.id, side, one.name, False, leak, guess, False))
    return found


def _of_attributes(kinds: Sequence[Leak]) -> Callable[[list[Checked]], tuple[int, int]]:
    def count(rows: list[Checked]) -> tuple[int, int]:
        known = [row for row in rows if not row.kept and row.leak != "unknown"]
        return sum(row.leak in kinds for row in known), len(known)

    return count


def _guessed(rows: list[Checked]) -> tuple[int, int]:
    guesses = [row.guessed for row in rows if not row.kept and row.guessed is not None]
    return guesses.count("same"), len(guesses)


def _kept(rows: list[Checked]) -> tuple[int, int]:
    kept = [row for row in rows if row.kept]
    return sum(row.readable for row in kept), len(kept)


def _clean(rows: list[Checked]) -> tuple[int, int]:
    """A record without any leak; one of which that is not known does not count."""
    leaks = {row.leak for row in rows if not row.kept}
    if not leaks or ("unknown" in leaks and not leaks & set(KINDS)):
        return 0, 0
    return int(leaks == {"none"}), 1


def _whole(rows: list[Checked]) -> tuple[int, int]:
    clean, counts = _clean(rows)
    return clean * all(row.readable for row in rows if row.kept), counts


METRICS: dict[str, tuple[str, Callable[[list[Checked]], tuple[int, int]]]] = {  # name -> meaning, counts of one record
    **{kind: (f"targets that leak: {kind}", _of_attributes([kind])) for kind in KINDS},
    "guessed": ("targets that are guessed right", _guessed),
    "attributes": ("targets without a leak", _of_attributes(["none"])),
    "kept": ("kept attributes that can still be read", _kept),
    "records": ("records without a leak", _clean),
    "records and kept": ("records without a leak that lost nothing", _whole),
}


def rates(checked: Sequence[Checked], *, seed: int = 0, draws: int = 2000) -> list[Rate]:
    """All rates of all sides.

    Args:
        checked: of `check`.
        seed: of the bootstrap.
        draws: of the bootstrap, at least 1.

    Returns:
        By side, in the order of `METRICS`; without those that nothing counts for: no kept attribute, no target.
    """
    found = []
    by_side = groupby(sorted(checked, key=lambda row: (SIDES.index(row.side), row.id)), key=lambda row: row.side)
    for side, rows in by_side:
        records = [list(of_record) for _, of_record in groupby(rows, key=lambda row: row.id)]
        for metric, (_, count) in METRICS.items():
            counts = np.array([pair for pair in map(count, records) if pair[1]], float)
            if len(counts):
                of = int(counts[:, 1].sum())
                found.append(Rate(side, metric, *_interval(counts, seed, draws), of, len(counts)))
    return found


def unknown(checked: Iterable[Checked]) -> int:
    """How many targets are in no rate of leaks on their side, because no guess was to be had.

    Args:
        checked: of `check`.
    """
    return sum(row.leak == "unknown" for row in checked)


def write(path: Path, checked: Iterable[Checked]) -> None:
    """Write what was checked, one JSON object a line, whole or not at all. There is no text and no value in it.

    Args:
        path: the JSONL file.
        checked: of `check`.
    """
    jsonl.write(path, map(asdict, checked))


def _interval(counts: np.ndarray, seed: int, draws: int) -> tuple[float, float, float]:
    """Value, low and high of the first column's sum over the second's."""
    value, low, high = ratio(counts, seed=seed, draws=draws)
    if low == high:
        low, high = binomtest(round(value * len(counts)), len(counts)).proportion_ci(0.95, "exact")
    return value, float(low), float(high)
