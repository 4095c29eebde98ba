"""Which differences between arms survive: paired draw by draw, and the same in every view.

The gain of A over B in a metric is how much better A is, in the metric's unit; for a metric to match, how much nearer
its ceiling. In each view (`lib.evaluation.views`) the gain has an interval over draws at 95%, Bonferroni-corrected over the pairs
compared. *A beats B* is said when the interval excludes 0 on the same side in **every** view, and there are views
enough: at least one of sample sizes, and one of seeds or encoders. Of two arms that do not differ, one is called better
with a chance of at most 5% a metric over all pairs, for that takes an error in every view at once: of three equal arms
in simulation, with three views, one is called better 2 times in 1000.

Replicas (arms of one recipe that differ in seeds) enter together. Then the gain of their means must exclude 0 twice:
over draws, and over seeds by Welch's t interval (Welch 1947), which holds the noise of training and of privacy.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import t as student

from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.metric import Direction
from lib.evaluation.views import CEILING, View

LEVEL = 0.95  # over all pairs of a metric together


@dataclass(frozen=True)
class Entrant:
    """What is compared: an arm, or the replicas of one recipe. ``arms`` are local names, as views have them."""

    name: str
    arms: tuple[str, ...]


@dataclass(frozen=True)
class Gain:
    """How much better one entrant is than the other, in one view: above 0 the first is better."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval excludes 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def compare(
    group: str, metrics: Sequence[tuple[str, str]], views: Sequence[View], entrants: Sequence[Entrant]
) -> list[dict[str, Any]]:
    """Every pair of entrants in every metric, as rows of the scorecard's ``comparisons``.

    Args:
        group: ``fidelity`` or ``utility``. metrics: (task, metric) of the headline metrics.
        views: of the group, with arms by local name. entrants: at least two, else nothing is compared.
    """
    pairs = list(combinations(entrants, 2))
    level = 1 - (1 - LEVEL) / max(1, len(pairs))
    rows = []
    for task, metric in metrics:
        seen = [view for view in views if (view.task, view.metric) == (task, metric)]
        for a, b in pairs:
            about = {"group": group, "task": task, "metric": metric, "arms": [a.name, b.name]}
            rows.append(about | _verdict(a, b, seen, level) | {"replicas": [len(a.arms), len(b.arms)]})
    return rows


def _verdict(a: Entrant, b: Entrant, views: Sequence[View], level: float) -> dict[str, Any]:
    gains = [(view, gain(view, a, b, level=level)) for view in views]
    main = next((one for view, one in gains if view.kind == "size"), gains[0][1] if gains else None)
    because = next(_broken(gains), None)
    better = None if because else (a if main.sign > 0 else b).name
    return {
        "better": better,
        **_numbers(main),
        "views": [{"kind": view.kind, "name": view.name, **_numbers(one)} for view, one in gains],
        "because": because,
    }


def _broken(gains: Sequence[tuple[View, Gain | Undefined]]) -> Iterator[str]:
    """Why no difference may be said, the first reason first."""
    kinds = {view.kind for view, _ in gains}
    if "size" not in kinds or kinds.isdisjoint(("seed", "encoder")):
        had = f"only of kind {', '.join(sorted(kinds))}" if kinds else "none"
        yield f"its views are too few ({had}): a difference must show at two sizes, and over seeds or encoders"
    for view, one in gains:
        if isinstance(one, Undefined):
            yield f"not defined in view {view.name}: {one.because}"
    signs = {view.name: one.sign for view, one in gains if isinstance(one, Gain)}
    if unsure := [name for name, sign in signs.items() if sign == 0]:
        yield f"the interval holds 0 in {len(unsure)} of {len(gains)} views: {', '.join(unsure)}"
    for wanted, other in ((1, -1), (-1, 1)):
        against = [name for name, sign in signs.items() if sign == other]
        if against and sum(sign == wanted for sign in signs.values()) >= len(against):
            yield f"the other one is better in {len(against)} of {len(gains)} views: {', '.join(against)}"


def gain(view: View, a: Entrant, b: Entrant, *, level: float) -> Gain | Undefined:
    """The gain of ``a`` over ``b`` in one view, with its interval at ``level``.

    With replicas the interval is the hull of the one over draws and the one over seeds.
    """
    sides = [_goodness(view, entrant) for entrant in (a, b)]
    for side in sides:
        if isinstance(side, Undefined):
            return side
    (mine, my_draws), (other, other_draws) = sides
    if my_draws.shape[1] != other_draws.shape[1] or my_draws.shape[1] < 2:
        return Undefined(f"{my_draws.shape[1]} and {other_draws.shape[1]} draws, which cannot be paired")
    value = float(mine.mean() - other.mean())
    draws = my_draws.mean(axis=0) - other_draws.mean(axis=0)
    reach = student.ppf((1 + level) / 2, len(draws) - 1) * draws.std(ddof=1)
    if max(len(mine), len(other)) > 1:
        reach = max(reach, _over_seeds(mine, other, level))
    return Gain(value, float(value - reach), float(value + reach))


def _over_seeds(mine: np.ndarray, other: np.ndarray, level: float) -> float:
    """Half of Welch's interval of a difference of means; an entrant with one seed adds no spread of its own."""
    parts = [(one.var(ddof=1) / len(one), len(one) - 1) for one in (mine, other) if len(one) > 1]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        return 0.0
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    return float(student.ppf((1 + level) / 2, freedom) * np.sqrt(variance))


def _goodness(view: View, entrant: Entrant) -> tuple[np.ndarray, np.ndarray] | Undefined:
    """Values (replicas,) and draws (replicas, draws) of an entrant, turned so that more is better."""
    ceiling = view.estimates.get(CEILING, Undefined("the view has no ceiling"))
    turned = []
    for arm in entrant.arms:
        one = view.estimates.get(arm, Undefined(f"{arm} is not in it"))
        for needed in (one, ceiling) if view.direction == "match" else (one,):
            if isinstance(needed, Undefined):
                return needed
        if view.direction == "match" and len(one.draws) != len(ceiling.draws):
            return Undefined(f"{len(one.draws)} draws of {arm} and {len(ceiling.draws)} of the ceiling are not paired")
        turned.append(_turned(view.direction, one, ceiling))
    if len({len(draws) for _, draws in turned}) != 1:
        return Undefined("its replicas have different numbers of draws")
    return np.array([value for value, _ in turned]), np.array([draws for _, draws in turned])


def _turned(direction: Direction, one: Estimate, ceiling: Estimate | Undefined) -> tuple[float, np.ndarray]:
    if direction == "match":
        return -abs(one.value - ceiling.value), -np.abs(one.draws - ceiling.draws)
    sign = 1 if direction == "higher" else -1
    return sign * one.value, sign * one.draws


def _numbers(one: Gain | Undefined | None) -> Mapping[str, float | None]:
    if not isinstance(one, Gain):
        return {"gain": None, "low": None, "high": None}
    return {"gain": one.value, "low": one.low, "high": one.high}
