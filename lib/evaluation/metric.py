"""One metric of one arm: value, interval, floor, ceiling, direction, and its position between floor and ceiling."""

from dataclasses import dataclass

import numpy as np

from lib.evaluation.entry import Direction
from lib.evaluation.estimate import Estimate, Undefined, t_interval

CEILING_LEVEL = 0.99  # of the interval that decides "at the ceiling": some twenty metrics are looked at together


@dataclass(frozen=True)
class Metric:
    """One metric of one arm between its floor (a model that never saw the records) and its ceiling (held-out real).

    All three are measured against the same real records at the same n.

    Args:
        name: the metric's name in `lib.evaluation.registry`.
        direction: whether a higher value is better, a lower one, or the one closest to the ceiling ("match").
        estimate: the arm's value.
        floor: the floor's value.
        ceiling: the ceiling's value.
        used: records of the arm that entered.
        of: records that the arm has.
        real_text: whether real text entered the value, which is then not private and never part of a release.
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
        """0 at the floor, 1 at the ceiling; it can lie beyond either, but at most at 1 for a metric to match.

        Undefined where the interval of ceiling minus floor holds 0: such a metric cannot place an arm at this n.
        """
        for role, estimate in (("value", self.estimate), ("floor", self.floor), ("ceiling", self.ceiling)):
            if isinstance(estimate, Undefined):
                return Undefined(f"the {role} is not defined: {estimate.because}")
        low, high = _difference(self.ceiling, self.floor, 0.95)
        if low <= 0 <= high:
            return Undefined(f"floor and ceiling do not differ at n = {self.used}; compare more records")
        triples = zip(
            *(np.append(side.draws, side.value) for side in (self.estimate, self.floor, self.ceiling)), strict=True
        )
        *draws, value = (self._place(*triple) for triple in triples)
        return Estimate(value, np.array(draws))

    def _place(self, value: float, floor: float, ceiling: float) -> float:
        if self.direction == "match":
            return 1 - abs((value - ceiling) / (floor - ceiling))
        return (value - floor) / (ceiling - floor)

    def as_row(self) -> dict[str, object]:
        """A flat row for a table or a JSON file: numbers, or None where undefined, with the reason in ``because``."""
        position = self.position
        reason = next((side.because for side in (self.estimate, position) if isinstance(side, Undefined)), None)
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
            "because": reason,
        }


def _difference(a: Estimate, b: Estimate, level: float) -> tuple[float, float]:
    """The interval of a - b, taken draw by draw, so that what the real records do to both cancels out."""
    return t_interval(a.value - b.value, a.draws - b.draws, level)


def _value(estimate: Estimate | Undefined) -> float | None:
    return None if isinstance(estimate, Undefined) else estimate.value


def _columns(name: str, estimate: Estimate | Undefined) -> dict[str, float | None]:
    low, high = (None, None) if isinstance(estimate, Undefined) else estimate.interval
    return {name: _value(estimate), f"{name}_low": low, f"{name}_high": high}
