"""What every metric carries: value, interval, floor, ceiling, direction, and its place between floor and ceiling.

Intervals come from subsamples: two thirds of the records of each side, without replacement, many times. The spread of
a metric among them, times sqrt(2), is to first order its spread among fresh sets of n records (delete-d jackknife: Shao
& Wu 1989; bootstrap without replacement: Politis & Romano 1994). Drawing with replacement would repeat records: zero
distances to neighbours and fewer distinct words would move most metrics here. Subsamples move them a little, for they
are smaller, so the spread is used and the shift is not: an interval is about the metric *at this n*, as floor and
ceiling are. Two thirds is where the count of coincidences (equal n-grams, close pairs) gets its right spread, too.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.stats import binomtest
from scipy.stats import t as student

from lib.errors import DoppelError

Direction = Literal["higher", "lower", "match"]  # what is better; 'match': as close to the ceiling as can be
Statistic = Callable[[np.ndarray, np.ndarray], Mapping[str, float]]  # of rows of real and of synthetic records

CEILING_LEVEL = 0.99  # of the interval that decides "at the ceiling": some twenty metrics are looked at together
LEAST = 9  # records of a side: subsamples of fewer tell nothing


@dataclass(frozen=True)
class Estimate:
    """A value and how it moves, ``draws`` (draws,), centred on it and scaled to its spread at n records.

    ``share_of``: the value is the share of so many records, each of which has something by itself or has it not.
    """

    value: float
    draws: np.ndarray
    share_of: int | None = field(default=None, kw_only=True)

    def __post_init__(self):
        if not np.isfinite(self.value) or not np.isfinite(self.draws).all():
            raise DoppelError(f"a metric came out as {self.value}, it must be finite; look for empty or equal records")

    @classmethod
    def from_subsamples(cls, value: float, draws: np.ndarray, n: int) -> "Estimate":
        """``draws`` (draws,) are the metric's values on subsamples of ``n`` records."""
        scale = np.sqrt(_kept(n) / (n - _kept(n)))
        return cls(float(value), value + (np.asarray(draws, float) - np.mean(draws)) * scale)

    @property
    def interval(self) -> tuple[float, float]:
        """95%: the spread of the draws times the quantile of a t distribution, on either side of the value.

        Of a share it is the exact one (Clopper & Pearson 1934): where no record of 300 has it, every draw is 0, yet up
        to 1.2% of all records may have it.
        """
        if self.share_of is None:
            return _interval(self.value, self.draws)
        return tuple(binomtest(round(self.value * self.share_of), self.share_of).proportion_ci(0.95, "exact"))


@dataclass(frozen=True)
class Undefined:
    """Why a metric has no value here."""

    because: str


def subsamples(real: int, synthetic: int, *, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of real and of synthetic records in each draw, sorted.

    The same seed and sizes give the same rows, so the arms of a comparison share their draws of the real records, and
    differences between arms are taken draw by draw.
    """
    if min(real, synthetic) < LEAST or draws < 2:
        raise DoppelError(
            f"{real} real and {synthetic} synthetic records, {draws} draws; an interval needs {LEAST} records of each "
            "side and 2 draws; add records"
        )
    streams = [np.random.default_rng([seed, side]) for side in range(2)]
    for _ in range(draws):
        yield tuple(np.sort(s.permutation(n)[: _kept(n)]) for s, n in zip(streams, (real, synthetic), strict=True))


def estimate(statistic: Statistic, real: int, synthetic: int, *, draws: int, seed: int) -> dict[str, Estimate]:
    """Every value of ``statistic`` on all records, and on subsamples of ``real`` and ``synthetic`` records.

    The statistic is called with the rows it may look at; what does not depend on them (clusters, counts of words) is
    best computed before.
    """
    drawn = [statistic(*rows) for rows in subsamples(real, synthetic, draws=draws, seed=seed)]
    values = statistic(np.arange(real), np.arange(synthetic))
    return {
        name: Estimate.from_subsamples(value, np.array([one[name] for one in drawn]), synthetic)
        for name, value in values.items()
    }


def matched_rows(sizes: Mapping[str, int], *, seed: int) -> dict[str, np.ndarray]:
    """Equally many rows of every set, sorted, drawn at random: as many as the smallest has."""
    n = min(sizes.values())
    if n < LEAST:
        smallest = min(sizes, key=sizes.__getitem__)
        raise DoppelError(f"{smallest!r} has {n} records, a comparison needs {LEAST}; add records, or leave it out")
    rng = np.random.default_rng(seed)
    return {name: np.sort(rng.permutation(size)[:n]) for name, size in sizes.items()}


@dataclass(frozen=True)
class Metric:
    """One metric of one arm between its floor (a model that never saw the records) and its ceiling (held-out real).

    All three are measured against the same real records at the same n. ``used`` of ``of`` records of the arm entered.
    ``real_text`` says that real text entered its value, which is then non-private and never part of a release.
    """

    name: str
    direction: Direction
    estimate: Estimate | Undefined
    floor: Estimate | Undefined
    ceiling: Estimate | Undefined
    used: int
    of: int
    real_text: bool

    @property
    def at_ceiling(self) -> bool | None:
        """Whether the interval of value minus ceiling, at `CEILING_LEVEL`, holds 0; None where either is undefined."""
        if isinstance(self.estimate, Undefined) or isinstance(self.ceiling, Undefined):
            return None
        low, high = _difference(self.estimate, self.ceiling, CEILING_LEVEL)
        return low <= 0 <= high

    @property
    def position(self) -> Estimate | Undefined:
        """0 at the floor, 1 at the ceiling; beyond either it goes on, but a metric to match stays at most 1.

        Undefined where the interval of ceiling minus floor holds 0: such a metric cannot place an arm at this n.
        """
        for role, one in (("value", self.estimate), ("floor", self.floor), ("ceiling", self.ceiling)):
            if isinstance(one, Undefined):
                return Undefined(f"the {role} is not defined: {one.because}")
        low, high = _difference(self.ceiling, self.floor, 0.95)
        if low <= 0 <= high:
            return Undefined(f"floor and ceiling do not differ at n = {self.used}; compare more records")
        parts = zip(
            *(np.append(one.draws, one.value) for one in (self.estimate, self.floor, self.ceiling)), strict=True
        )
        *draws, value = (self._place(*part) for part in parts)
        return Estimate(value, np.array(draws))

    def _place(self, value: float, floor: float, ceiling: float) -> float:
        if self.direction == "match":
            return 1 - abs((value - ceiling) / (floor - ceiling))
        return (value - floor) / (ceiling - floor)

    def as_row(self) -> dict[str, object]:
        """A flat row for a table or a JSON file: numbers, or None where undefined, with the reason in ``because``."""
        position = self.position
        missing = next((one.because for one in (self.estimate, position) if isinstance(one, Undefined)), None)
        return {
            "metric": self.name,
            **_columns("value", self.estimate),
            "floor": _value(self.floor),
            "ceiling": _value(self.ceiling),
            **_columns("position", position),
            "at_ceiling": self.at_ceiling,
            "direction": self.direction,
            "n": self.used,
            "of": self.of,
            "real_text": self.real_text,
            "because": missing,
        }


def _kept(n: int) -> int:
    return round(n * 2 / 3)


def _interval(value: float, draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    reach = float(student.ppf((1 + level) / 2, len(draws) - 1) * draws.std(ddof=1))
    return value - reach, value + reach


def _difference(one: Estimate, other: Estimate, level: float) -> tuple[float, float]:
    """The interval of one minus the other, draw by draw: what the real records do to both cancels."""
    return _interval(one.value - other.value, one.draws - other.draws, level)


def _value(one: Estimate | Undefined) -> float | None:
    return None if isinstance(one, Undefined) else one.value


def _columns(name: str, one: Estimate | Undefined) -> dict[str, float | None]:
    low, high = (None, None) if isinstance(one, Undefined) else one.interval
    return {name: _value(one), f"{name}_low": low, f"{name}_high": high}
