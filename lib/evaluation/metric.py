"""What every metric carries: value, interval, floor, ceiling, direction, and its place between floor and ceiling.

Intervals come from subsamples: two thirds of the records of each side, without replacement, many times. The spread of
a metric among them, times sqrt(2), is to first order its spread among fresh sets of n records (delete-d jackknife: Shao
& Wu 1989; bootstrap without replacement: Politis & Romano 1994). Drawing with replacement would repeat records: zero
distances to neighbours and fewer distinct words would move most metrics here. Subsamples move them a little, for they
are smaller, so the spread is used and the shift is not: an interval is about the metric *at this n*, as floor and
ceiling are. Two thirds is where the count of coincidences (equal n-grams, close pairs) gets its right spread, too.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lib.evaluation.estimate import Estimate, Undefined, _interval

Direction = Literal["higher", "lower", "match"]  # what is better; 'match': as close to the ceiling as can be

CEILING_LEVEL = 0.99  # of the interval that decides "at the ceiling": some twenty metrics are looked at together


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


def _difference(one: Estimate, other: Estimate, level: float) -> tuple[float, float]:
    """The interval of one minus the other, draw by draw: what the real records do to both cancels."""
    return _interval(one.value - other.value, one.draws - other.draws, level)


def _value(one: Estimate | Undefined) -> float | None:
    return None if isinstance(one, Undefined) else one.value


def _columns(name: str, one: Estimate | Undefined) -> dict[str, float | None]:
    low, high = (None, None) if isinstance(one, Undefined) else one.interval
    return {name: _value(one), f"{name}_low": low, f"{name}_high": high}
