"""What every metric carries: value, interval, floor, ceiling, direction, and its place between floor and ceiling.

Intervals come from half-samples: half of the records of each side, without replacement, many times. The spread of a
metric among them is, to first order, its spread among fresh sets of n records (delete-half jackknife: Shao & Wu 1989;
bootstrap without replacement: Politis & Romano 1994). Drawing with replacement would repeat records: zero distances to
neighbours and fewer distinct words would move most metrics here. Half-samples move them a little, for they are smaller,
so the spread is used and the shift is not: an interval is about the metric *at this n*, as floor and ceiling are.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lib.errors import DoppelError

Direction = Literal["higher", "lower", "match"]  # what is better; 'match': as close to the ceiling as can be
Statistic = Callable[[np.ndarray, np.ndarray], Mapping[str, float]]  # of rows of real and of synthetic records

LEAST = 8  # records of a side: halves of fewer tell nothing


@dataclass(frozen=True)
class Estimate:
    """A value and how it moves over half-samples, ``draws`` (draws,), centred on the value."""

    value: float
    draws: np.ndarray

    def __post_init__(self):
        if not np.isfinite(self.value) or not np.isfinite(self.draws).all():
            raise DoppelError(f"a metric came out as {self.value}, it must be finite; look for empty or equal records")

    @classmethod
    def from_halves(cls, value: float, halves: np.ndarray, n: int) -> "Estimate":
        """``halves`` (draws,) are the metric's values on half-samples of ``n`` records."""
        scale = np.sqrt((n // 2) / (n - n // 2))  # 1 for even n
        return cls(float(value), value + (np.asarray(halves, float) - np.mean(halves)) * scale)

    @property
    def interval(self) -> tuple[float, float]:
        """The central 95% of the draws."""
        return _interval(self.draws)


@dataclass(frozen=True)
class Undefined:
    """Why a metric has no value here."""

    because: str


def half_samples(real: int, synthetic: int, *, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of real and of synthetic records in each draw, sorted.

    The same seed and sizes give the same rows, so the arms of a comparison share their draws of the real records, and
    differences between arms are taken draw by draw.
    """
    if min(real, synthetic) < LEAST:
        raise DoppelError(
            f"{real} real and {synthetic} synthetic records; an interval needs {LEAST} of each; add records"
        )
    streams = [np.random.default_rng([seed, side]) for side in range(2)]
    for _ in range(draws):
        yield tuple(np.sort(s.permutation(n)[: n // 2]) for s, n in zip(streams, (real, synthetic), strict=True))


def estimate(statistic: Statistic, real: int, synthetic: int, *, draws: int, seed: int) -> dict[str, Estimate]:
    """Every value of ``statistic`` on all records, and on half-samples of ``real`` and ``synthetic`` records.

    The statistic is called with the rows it may look at; what does not depend on them (distances, clusters, counts of
    words) is best computed before.
    """
    halves = [statistic(*rows) for rows in half_samples(real, synthetic, draws=draws, seed=seed)]
    values = statistic(np.arange(real), np.arange(synthetic))
    return {
        name: Estimate.from_halves(value, np.array([half[name] for half in halves]), synthetic)
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
        """Whether the 95% interval of value minus ceiling holds 0; None where either is undefined."""
        if isinstance(self.estimate, Undefined) or isinstance(self.ceiling, Undefined):
            return None
        low, high = _interval(self.estimate.draws - self.ceiling.draws)
        return low <= 0 <= high

    @property
    def position(self) -> Estimate | Undefined:
        """0 at the floor, 1 at the ceiling; beyond either it goes on, but a metric to match stays at most 1.

        Undefined where the interval of ceiling minus floor holds 0: such a metric cannot place an arm at this n.
        """
        for role, one in (("value", self.estimate), ("floor", self.floor), ("ceiling", self.ceiling)):
            if isinstance(one, Undefined):
                return Undefined(f"the {role} is not defined: {one.because}")
        low, high = _interval(self.ceiling.draws - self.floor.draws)
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


def _interval(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _value(one: Estimate | Undefined) -> float | None:
    return None if isinstance(one, Undefined) else one.value


def _columns(name: str, one: Estimate | Undefined) -> dict[str, float | None]:
    low, high = (None, None) if isinstance(one, Undefined) else one.interval
    return {name: _value(one), f"{name}_low": low, f"{name}_high": high}
