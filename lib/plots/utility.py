"""Pictures of notebook 22_utility: each arm between floor and ceiling, by metric, by view and by number of records."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.evaluation.comparison_sets import REAL
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.registry import title
from lib.evaluation.views import CEILING, View
from lib.plots.style import DP, GREY, PRIVATE, PUBLIC, arm_colours, axes

POSITIONS = (-1.5, 2.5)  # the range that is shown; an arm outside is an arrow at the edge


def scores(
    rows: Sequence[Mapping[str, object]],
    *,
    baseline: Mapping[str, float] | None = None,
    baseline_name: str = "baseline",
) -> Figure:
    """One panel a metric: each arm's value with its 95% interval, floor and ceiling as lines.

    Args:
        rows: of `lib.evaluation.metric_rows.placed`.
        baseline: by metric, a value that is drawn as a dotted line.
        baseline_name: what that value is: ``majority``.
    """
    metrics = list(dict.fromkeys(str(row["metric"]) for row in rows))
    lines = list(dict.fromkeys((str(row["task"]), str(row["arm"])) for row in rows))
    tasks = list(dict.fromkeys(task for task, _ in lines))
    heights = {
        line: len(lines) - 1 - number + 0.6 * (len(tasks) - 1 - tasks.index(line[0]))
        for number, line in enumerate(lines)
    }
    figure, panels = axes(width=4.2 * len(metrics) + 1.4, height=0.24 * len(lines) + 1.2, columns=len(metrics))
    for panel, metric in zip(panels, metrics, strict=True):
        for row in (row for row in rows if row["metric"] == metric and row["value"] is not None):
            place = heights[str(row["task"]), str(row["arm"])]
            for end, colour in (("floor", PRIVATE), ("ceiling", PUBLIC)):
                if row[end] is not None:
                    panel.plot([row[end]] * 2, [place - 0.45, place + 0.45], color=colour, linewidth=2)
            _dot(panel, row, "value", place, DP)
        if baseline and metric in baseline:
            panel.axvline(baseline[metric], color=GREY, linestyle=":", linewidth=1.5)
        panel.set(yticks=list(heights.values()), ylim=(-0.7, max(heights.values()) + 0.7), xlabel=title(metric))
        names = [f"{task}: {arm}" if len(tasks) > 1 else arm for task, arm in lines]
        panel.set_yticklabels(names if panel is panels[0] else [])
    for end, colour in (("floor", PRIVATE), ("ceiling", PUBLIC)):
        panels[-1].plot([], [], color=colour, linewidth=2, label=end)
    if baseline:
        panels[-1].plot([], [], color=GREY, linestyle=":", linewidth=1.5, label=baseline_name)
    panels[-1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def views(shown: Sequence[View]) -> Figure:
    """One panel a task and metric, one line a view: each arm's value, and the ceiling as a line.

    Args:
        shown: the views, of any tasks and metrics.
    """
    panels = list(dict.fromkeys((view.task, view.metric) for view in shown))
    names = list(dict.fromkeys(map(_name, shown)))
    arms = list(dict.fromkeys(arm for view in shown for arm in view.estimates if arm != CEILING))
    colours = arm_colours(arms)
    figure, drawn = axes(width=3.6 * len(panels) + 2.6, height=0.3 * len(names) + 1.2, columns=len(panels))
    for panel, key in zip(drawn, panels, strict=True):
        for view in (view for view in shown if (view.task, view.metric) == key):
            place = len(names) - 1 - names.index(_name(view))
            for arm, estimate in view.estimates.items():
                if isinstance(estimate, Undefined):
                    continue
                if arm == CEILING:
                    panel.plot([estimate.value] * 2, [place - 0.4, place + 0.4], color=PUBLIC, linewidth=2)
                else:
                    panel.plot([estimate.value], [place], "o", color=colours[arm], markersize=5, alpha=0.85)
        panel.set(title=key[0], yticks=range(len(names)), ylim=(-0.7, len(names) - 0.3), xlabel=title(key[1]))
        panel.title.set_fontsize(9)
        panel.set_yticklabels(names[::-1] if panel is drawn[0] else [])
    _legend(drawn[-1], colours | {CEILING: PUBLIC})
    return figure


def by_size(measured: Mapping[str, Mapping[str, Mapping[int, Estimate | Undefined]]]) -> Figure:
    """One panel a type of classifier: macro-F1 against the number of records, a line for each arm and for real records.

    Args:
        measured: by type of classifier, what `lib.evaluation.utility.tstr.by_size` returns.
    """
    figure, panels = axes(width=4.6 * len(measured) + 1.8, height=3.4, columns=len(measured))
    for panel, (kind, by_set) in zip(panels, measured.items(), strict=True):
        colours = arm_colours([name for name in by_set if name != REAL]) | {REAL: PUBLIC}
        for place, (name, estimates) in enumerate(by_set.items()):
            aside = 1.03 ** (place - (len(by_set) - 1) / 2)  # so that intervals at one number do not cover each other
            shown = {n * aside: one for n, one in estimates.items() if not isinstance(one, Undefined)}
            values = np.array([one.value for one in shown.values()])
            ends = np.array([one.interval for one in shown.values()]).reshape(-1, 2)
            reach = np.stack([values - ends[:, 0], ends[:, 1] - values])
            panel.errorbar([*shown], values, yerr=reach, fmt="o-", color=colours[name], capsize=3, markersize=4)
        numbers = sorted({n for estimates in by_set.values() for n in estimates})
        panel.set(title=kind, xscale="log", xlabel="records", ylabel=title("macro_f1") if panel is panels[0] else "")
        panel.set_xticks(numbers, [f"{n:,}" for n in numbers], rotation=45)
        panel.set_xticks([], minor=True)
    _legend(panels[-1], colours)
    return figure


def positions(rows: Sequence[Mapping[str, object]]) -> Figure:
    """Every metric that can place an arm, as the arm's position with its 95% interval: 0 is the floor, 1 the ceiling.

    The floor itself is left out. An arm outside `POSITIONS` is an arrow at the edge: it is far below the floor, or
    floor and ceiling barely differ.

    Args:
        rows: of `lib.evaluation.metric_rows.placed`, of any tasks.
    """
    colours = arm_colours(list(dict.fromkeys(str(row["arm"]) for row in rows)))
    defined = [row for row in rows if row["position"] is not None and row["value"] != row["floor"]]
    arms = [arm for arm in colours if any(row["arm"] == arm for row in defined)]
    lines: list[tuple[str, str | None]] = []  # a task, then its metrics
    for task in dict.fromkeys(str(row["task"]) for row in defined):
        lines += [(task, None), *dict.fromkeys((task, str(row["metric"])) for row in defined if row["task"] == task)]
    figure, (panel,) = axes(width=8.0, height=0.3 * max(1, len(lines)) + 1.2)
    shift = np.linspace(0.25, -0.25, len(arms)) if len(arms) > 1 else [0]
    for row in defined:
        place = (
            len(lines) - 1 - lines.index((str(row["task"]), str(row["metric"]))) + shift[arms.index(str(row["arm"]))]
        )
        edge = float(np.clip(row["position"], *POSITIONS))
        marker = "o" if edge == row["position"] else "<" if row["position"] < edge else ">"
        ends = {"position_low": min(row["position_low"], edge), "position_high": max(row["position_high"], edge)}
        _dot(panel, row | {"position": edge} | ends, "position", place, colours[str(row["arm"])], marker=marker)
    panel.axvline(0, color=PRIVATE, linewidth=1)
    panel.axvline(1, color=PUBLIC, linewidth=1)
    names = [task if metric is None else title(metric) for task, metric in lines]
    panel.set(yticks=range(len(names)), yticklabels=names[::-1], xlabel="position: 0 floor, 1 ceiling")
    for label, (_, metric) in zip(panel.get_yticklabels(), reversed(lines), strict=True):
        label.set_fontweight("normal" if metric else "bold")
    low = min([-0.2, *(row["position_low"] for row in defined)])
    high = max([1.2, *(row["position_high"] for row in defined)])
    panel.set(xlim=np.clip((low - 0.05, high + 0.05), *POSITIONS), ylim=(-0.7, len(names) - 0.3))
    if names:
        _legend(panel, {arm: colours[arm] for arm in arms})
    else:
        panel.set(title="no metric can place an arm: floors and ceilings do not differ at this size")
    return figure


def _dot(panel: Axes, row: Mapping[str, object], name: str, place: float, colour: str, *, marker: str = "o") -> None:
    """A number of a row with its interval, at the height ``place``."""
    value, low, high = (row[name + end] for end in ("", "_low", "_high"))
    reach, size = [[value - low], [high - value]], 4 if marker == "o" else 7
    drawn = panel.errorbar([value], [place], xerr=reach, fmt=marker, color=colour, capsize=3, markersize=size)
    drawn.lines[0].set_clip_on(False)  # an arrow stands on the edge


def _legend(panel: Axes, colours: Mapping[str, str]) -> None:
    for name, colour in colours.items():
        panel.plot([], [], "o", color=colour, markersize=5, label=name)
    panel.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


def _name(view: View) -> str:
    return f"{view.kind}: {view.name.removeprefix('bundled:')}"
