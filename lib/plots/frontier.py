"""Pictures of notebook 30_compare: how close to real text the arms come, for their epsilon and their cost."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lib.evaluation.registry import title
from lib.methods import registry
from lib.plots.style import GREY, PRIVATE, PUBLIC
from lib.scorecard.frontier import Point

MARKERS = "osD^vP"  # by run
LABELS = {"epsilon": "epsilon spent", "seconds": "seconds", "tokens": "tokens"}
COLUMNS = 4
REACH = (-0.6, 1.6)  # the range of positions that is shown; an arm outside is an arrow at the edge


def frontier(points: Sequence[Point], x: Literal["epsilon", "seconds", "tokens"]) -> Figure:
    """One panel a headline metric: position between floor (0) and ceiling (1) over ``x``, with 95% intervals.

    A method keeps its colour, and is hollow without privacy; a run keeps its marker. Arms without privacy stand to the
    right of a break in the axis, because their epsilon is infinite.

    Args:
        points: arms of one or several runs.
        x: the horizontal axis: ``epsilon`` spent, or cost in ``seconds`` or ``tokens``.
    """
    keys = list(dict.fromkeys(map(_key, points)))
    rows = max(1, -(-len(keys) // COLUMNS))
    columns = max(1, -(-len(keys) // rows))
    size = (2.9 * columns + 0.4, 2.5 * rows + 0.9)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, sharey=True)
    runs, methods = (list(dict.fromkeys(getattr(point, name) for point in points)) for name in ("run", "method"))
    axis = _Axis([getattr(point, x) for point in points], x)
    for number, panel in enumerate(axes.flat):
        if number >= len(keys):
            panel.set_visible(False)
            continue
        _frame(panel, keys[number], axis)
        here = [point for point in points if _key(point) == keys[number]]
        here.sort(key=lambda point: (runs.index(point.run), methods.index(point.method)))  # replicas side by side
        places = [axis.place(getattr(point, x)) for point in here]
        places = _apart(places, axis) if x == "epsilon" else places
        for place, point in zip(places, here, strict=True):
            _mark(panel, place, point, MARKERS[runs.index(point.run) % len(MARKERS)])
        if x == "epsilon":
            _join(panel, here)
        if number + columns >= len(keys):
            panel.set_xlabel(LABELS[x])
        else:
            panel.tick_params(labelbottom=False)
    for row in axes:
        row[0].set_ylabel("position")
    _legend(figure, points, runs)
    return figure


def _key(point: Point) -> tuple[str, str, str]:
    """What one panel shows."""
    return point.group, point.task, point.metric


class _Axis:
    """Where a value stands on a logarithmic axis; None (no privacy) stands to the right of a gap."""

    def __init__(self, values: Sequence[float | None], name: str):
        finite = [value for value in values if value]
        low, high = (min(finite), max(finite)) if finite else (1.0, 1.0)
        self.pad = max(1.35, (high / low) ** 0.12)
        self.low, self.high = low / self.pad, high * self.pad
        self.broken = any(value is None for value in values)
        self.beyond = self.high * self.pad
        self.end = self.beyond * self.pad if self.broken else self.high
        self.ticks = _distinct(finite) if name == "epsilon" else None

    def place(self, value: float | None) -> float:
        return self.beyond if value is None else max(value, self.low)


def _distinct(values: Sequence[float], apart: float = 1.2) -> list[float]:
    """Sorted values; those that would overlap (7.98 and 8.00) share a tick."""
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value / kept[-1] > apart:
            kept.append(value)
    return kept


def _frame(panel: plt.Axes, key: tuple[str, str, str], axis: _Axis) -> None:
    group, task, metric = key
    panel.set_title(f"{group}: {title(metric)}\n{task}", fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.25)
    panel.axhline(0, color=PRIVATE, linewidth=1.4)
    panel.axhline(1, color=PUBLIC, linewidth=1.4)
    panel.set(xscale="log", xlim=(axis.low, axis.end), ylim=(REACH[0] - 0.08, REACH[1] + 0.08))
    if axis.ticks is not None:
        ticks = [*axis.ticks, *([axis.beyond] if axis.broken else [])]
        panel.set_xticks(ticks, [f"{tick:.2g}" for tick in axis.ticks] + (["no\nprivacy"] if axis.broken else []))
        panel.xaxis.set_minor_locator(NullLocator())
    else:
        # on a short axis coarser ticks would leave one or none, and matplotlib would then space them evenly
        finer = axis.high < 8 * axis.low
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7) if finer else (1, 2, 5)))
        panel.xaxis.set_major_formatter(FuncFormatter(_thousands))
        panel.xaxis.set_minor_locator(NullLocator())
    if axis.broken:
        panel.axvspan(axis.high, axis.end, color=GREY, alpha=0.12, linewidth=0)
        for shift in (-0.012, 0.012):  # two strokes across the axis show that it is broken
            at = np.log(axis.high / axis.low) / np.log(axis.end / axis.low) + shift
            panel.plot(
                [at - 0.012, at + 0.012], [-0.025, 0.025], transform=panel.transAxes, color="black", linewidth=1,
                clip_on=False,
            )  # fmt: skip


def _thousands(value: float, _: object) -> str:
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"


def _apart(places: Sequence[float], axis: _Axis) -> list[float]:
    """Places of points with (nearly) the same epsilon, spread around it in a band that touches no other band."""
    ticks = np.array([*axis.ticks, *([axis.beyond] if axis.broken else [])])
    span = np.log(axis.end / axis.low)
    band = min([0.5 * np.diff(np.log(ticks)).min(initial=np.inf), 0.2 * span])
    nearest = np.abs(np.log(places)[:, None] - np.log(ticks)).argmin(axis=1)
    moved = np.empty(len(places))
    for tick in set(nearest.tolist()):
        same = np.flatnonzero(nearest == tick)
        step = min(0.035 * span, band / len(same))
        moved[same] = np.exp(
            np.log(np.array(places)[same].mean()) + step * (np.arange(len(same)) - (len(same) - 1) / 2)
        )
    return moved.tolist()


def _colour(method: str) -> str:
    """The colour of the method with this title; grey for a method that is no longer there."""
    try:
        return registry.titled(method).colour
    except KeyError:
        return GREY


def _mark(panel: plt.Axes, place: float, point: Point, marker: str) -> None:
    colour = _colour(point.method)
    filled = colour if point.epsilon is not None else "white"
    value, low, high = (float(np.clip(end, *REACH)) for end in (point.position, point.low, point.high))
    panel.plot([place, place], [low, high], color=colour, linewidth=1.4)
    if value != point.position:
        marker = "^" if point.position > value else "v"
    panel.plot([place], [value], marker, color=colour, markerfacecolor=filled, markersize=6)


def _join(panel: plt.Axes, points: Sequence[Point]) -> None:
    """A line through the private arms of each method and run, through the means of replicas."""
    recipes = defaultdict(lambda: defaultdict(list))
    for point in points:
        if point.epsilon is not None:
            recipes[point.run, point.method][point.recipe].append((point.epsilon, np.clip(point.position, *REACH)))
    for (_, method), places in recipes.items():
        means = sorted(tuple(np.mean(replicas, axis=0)) for replicas in places.values())
        panel.plot(*zip(*means, strict=True), color=_colour(method), linewidth=1, alpha=0.5)


def _legend(figure: Figure, points: Sequence[Point], runs: Sequence[str]) -> None:
    """Methods by colour, runs by marker, and the two lines."""
    handles = []
    for method in dict.fromkeys(point.method for point in points):
        colour = _colour(method)
        private = any(point.epsilon is not None for point in points if point.method == method)
        filled = colour if private else "white"
        handles.append(Line2D([], [], marker="o", color=colour, markerfacecolor=filled, label=method))
    handles.append(Line2D([], [], color=PUBLIC, label="ceiling: real records"))
    handles.append(Line2D([], [], color=PRIVATE, label="floor: never saw them"))
    for number, run in enumerate(runs if len(runs) > 1 else ()):
        marker = MARKERS[number % len(MARKERS)]
        handles.append(Line2D([], [], marker=marker, linestyle="", color="black", label=f"run {run}"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
