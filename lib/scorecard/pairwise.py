"""Which differences between arms hold: paired draw by draw, and the same in every view.

The gain of A over B in a metric is how much better A is, in the metric's unit; for a metric to match, how much closer A
is to the ceiling. In each view (`lib.evaluation.views`) the gain has an interval over draws at 95%,
Bonferroni-corrected over the pairs compared. A is called better than B when the interval excludes 0 on the same side in
**every** view, and there are enough views: at least one of sample sizes, and one of seeds or encoders. Of two arms that
do not differ, one is called better with a probability of at most 5% for a metric over all pairs, because that takes an
error in every view at once: in a simulation of three equal arms in three views, one was called better 2 times in 1000.

Replicas (arms of one recipe that differ in seeds) enter together. The gain of their means must then exclude 0 twice:
over draws, and over seeds by Welch's t interval (Welch 1947), which covers the noise of training and of privacy.
"""

from collections import defaultdict
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
VERDICTS = ("better", "worse", "no difference", "not compared")  # on the first arm of a pair
BETTER, WORSE, NO_DIFFERENCE, NOT_COMPARED = VERDICTS


@dataclass(frozen=True)
class Entrant:
    """What is compared: an arm, or the replicas of one recipe.

    Attributes:
        id: the arm's stage id, or the recipe of the replicas.
        arms: stage ids.
    """

    id: str
    arms: tuple[str, ...]


@dataclass(frozen=True)
class Gain:
    """How much better one entrant is than the other in one view, in the metric's unit.

    Attributes:
        value: above 0 where the first is better.
        low: lower end of its interval.
        high: upper end.
    """

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval excludes 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def entrants(arms: Sequence[Mapping[str, Any]]) -> list[Entrant]:
    """What enters the comparison: each arm by itself, replicas together.

    Args:
        arms: entries of the scorecard; replicas have the same ``recipe``.
    """
    by_recipe = defaultdict(list)
    for arm in arms:
        by_recipe[arm["recipe"]].append(arm["stage"])
    return [Entrant(stages[0] if len(stages) == 1 else recipe, tuple(stages)) for recipe, stages in by_recipe.items()]


def compare(
    group: str, metrics: Sequence[tuple[str, str]], views: Sequence[View], entrants: Sequence[Entrant]
) -> list[dict[str, Any]]:
    """Every pair of entrants in every metric.

    Args:
        group: ``fidelity`` or ``utility``.
        metrics: (task, metric) of the headline metrics.
        views: of the group, with estimates by stage id.
        entrants: fewer than two make no pair.

    Returns:
        The scorecard's ``comparisons``, a row for each metric and pair: ``better`` is the id of an entrant, or None
        with the reason in ``because``; ``gain``, ``low`` and ``high`` are those of the first size view.
    """
    pairs = list(combinations(entrants, 2))
    level = 1 - (1 - LEVEL) / max(1, len(pairs))
    rows = []
    for task, metric in metrics:
        seen = [view for view in views if (view.task, view.metric) == (task, metric)]
        for a, b in pairs:
            about = {"group": group, "task": task, "metric": metric, "arms": [a.id, b.id]}
            rows.append(about | _verdict(a, b, seen, level) | {"replicas": [len(a.arms), len(b.arms)]})
    return rows


def verdicts(comparisons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The comparisons of each pair summed up: in which metrics of a group its first arm is better or worse.

    Args:
        comparisons: rows of `compare`.

    Returns:
        The scorecard's ``pairs``, a row for each pair, group and verdict that occurs, with the ``metrics`` it is about.
        "no difference" means that none was shown in every view, which does not prove that the two are equal; "not
        compared" that the metric is not defined for one of them, or has too few views.
    """
    summed = defaultdict(list)
    for row in comparisons:
        first, second = row["arms"]
        compared = row["gain"] is not None and _enough({view["kind"] for view in row["views"]})
        no_winner = NO_DIFFERENCE if compared else NOT_COMPARED
        verdict = {first: BETTER, second: WORSE, None: no_winner}[row["better"]]
        summed[first, second, row["group"], verdict].append({"task": row["task"], "metric": row["metric"]})
    pairs = list(dict.fromkeys(tuple(row["arms"]) for row in comparisons))
    groups = list(dict.fromkeys(row["group"] for row in comparisons))
    return [
        {"arms": list(pair), "group": group, "verdict": verdict, "metrics": summed[*pair, group, verdict]}
        for pair in pairs
        for group in groups
        for verdict in VERDICTS
        if (*pair, group, verdict) in summed
    ]


def _verdict(a: Entrant, b: Entrant, views: Sequence[View], level: float) -> dict[str, Any]:
    gains = [(view, gain(view, a, b, level=level)) for view in views]
    main = next((result for view, result in gains if view.kind == "size"), gains[0][1] if gains else None)
    because = next(_objections(gains), None)
    return {
        "better": None if because else (a if main.sign > 0 else b).id,
        **_numbers(main),
        "views": [{"kind": view.kind, "name": view.name, **_numbers(result)} for view, result in gains],
        "because": because,
    }


def _enough(kinds: set[str]) -> bool:
    """Whether views of these kinds can show a difference."""
    return "size" in kinds and not kinds.isdisjoint(("seed", "encoder"))


def _objections(gains: Sequence[tuple[View, Gain | Undefined]]) -> Iterator[str]:
    """Why no entrant may be called better, the first reason first."""
    kinds = {view.kind for view, _ in gains}
    if not _enough(kinds):
        had = f"only {', '.join(sorted(kinds))}" if kinds else "none"
        yield f"too few views ({had}): a difference must show at several sample sizes and across seeds or encoders"
    for view, result in gains:
        if isinstance(result, Undefined):
            yield f"not defined in view {view.name}: {result.because}"
    signs = {view.name: result.sign for view, result in gains if isinstance(result, Gain)}
    if unsure := [name for name, sign in signs.items() if sign == 0]:
        yield f"the interval includes 0 in {len(unsure)} of {len(gains)} views: {', '.join(unsure)}"
    for wanted, opposite in ((1, -1), (-1, 1)):
        against = [name for name, sign in signs.items() if sign == opposite]
        if against and sum(sign == wanted for sign in signs.values()) >= len(against):
            yield f"the other arm is better in {len(against)} of {len(gains)} views: {', '.join(against)}"


def gain(view: View, a: Entrant, b: Entrant, *, level: float) -> Gain | Undefined:
    """The gain of one entrant over another in one view.

    Args:
        view: with estimates by stage id.
        a: the entrant whose gain it is.
        b: the other one.
        level: of the interval, in (0, 1). With replicas it is the wider one of the intervals over draws and over seeds.
    """
    sides = [_goodness(view, entrant) for entrant in (a, b)]
    for side in sides:
        if isinstance(side, Undefined):
            return side
    (mine, my_draws), (others, other_draws) = sides
    if my_draws.shape[1] != other_draws.shape[1] or my_draws.shape[1] < 2:
        return Undefined(f"{my_draws.shape[1]} and {other_draws.shape[1]} draws, which cannot be paired")
    value = float(mine.mean() - others.mean())
    draws = my_draws.mean(axis=0) - other_draws.mean(axis=0)
    reach = student.ppf((1 + level) / 2, len(draws) - 1) * draws.std(ddof=1)
    if max(len(mine), len(others)) > 1:
        reach = max(reach, _over_seeds(mine, others, level))
    return Gain(value, float(value - reach), float(value + reach))


def _over_seeds(mine: np.ndarray, others: np.ndarray, level: float) -> float:
    """Half of Welch's interval of a difference of means; an entrant with one seed adds no spread of its own."""
    spreads = [(values.var(ddof=1) / len(values), len(values) - 1) for values in (mine, others) if len(values) > 1]
    variance = sum(spread for spread, _ in spreads)
    if variance == 0:
        return 0.0
    freedom = variance**2 / sum(spread**2 / degrees for spread, degrees in spreads)
    return float(student.ppf((1 + level) / 2, freedom) * np.sqrt(variance))


def _goodness(view: View, entrant: Entrant) -> tuple[np.ndarray, np.ndarray] | Undefined:
    """Values (replicas,) and draws (replicas, draws) of an entrant, signed so that more is better."""
    ceiling = view.estimates.get(CEILING, Undefined("the view has no ceiling"))
    signed = []
    for arm in entrant.arms:
        estimate = view.estimates.get(arm, Undefined(f"{arm} is not in it"))
        for needed in (estimate, ceiling) if view.direction == "match" else (estimate,):
            if isinstance(needed, Undefined):
                return needed
        if view.direction == "match" and len(estimate.draws) != len(ceiling.draws):
            return Undefined(
                f"{len(estimate.draws)} draws of {arm} and {len(ceiling.draws)} of the ceiling cannot be paired"
            )
        signed.append(_signed(view.direction, estimate, ceiling))
    if len({len(draws) for _, draws in signed}) != 1:
        return Undefined("its replicas have different numbers of draws")
    return np.array([value for value, _ in signed]), np.array([draws for _, draws in signed])


def _signed(direction: Direction, estimate: Estimate, ceiling: Estimate | Undefined) -> tuple[float, np.ndarray]:
    if direction == "match":
        return -abs(estimate.value - ceiling.value), -np.abs(estimate.draws - ceiling.draws)
    sign = 1 if direction == "higher" else -1
    return sign * estimate.value, sign * estimate.draws


def _numbers(result: Gain | Undefined | None) -> Mapping[str, float | None]:
    if not isinstance(result, Gain):
        return {"gain": None, "low": None, "high": None}
    return {"gain": result.value, "low": result.low, "high": result.high}
