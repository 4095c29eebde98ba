"""Pictures of notebook 06: each arm with its interval between floor and ceiling."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.plots import DP, GREY, PRIVATE, PUBLIC, axes


def scores(rows: Sequence[Mapping[str, object]], *, baseline: float | None = None) -> Figure:
    """One panel a metric: each arm's value with its 95% interval, floor and ceiling as lines.

    ``baseline`` is drawn too: the rate of the most frequent label, say.
    """
    metrics = list(dict.fromkeys(str(row["metric"]) for row in rows))
    lines = list(dict.fromkeys((str(row["task"]), str(row["arm"])) for row in rows))
    figure, panels = axes(width=4.2 * len(metrics) + 1.4, height=0.24 * len(lines) + 1.2, columns=len(metrics))
    tasks = list(dict.fromkeys(task for task, _ in lines))
    for panel, metric in zip(panels, metrics, strict=True):
        for row in (row for row in rows if row["metric"] == metric and row["value"] is not None):
            place = len(lines) - 1 - lines.index((str(row["task"]), str(row["arm"])))
            for end, colour in (("floor", PRIVATE), ("ceiling", PUBLIC)):
                if row[end] is not None:
                    panel.plot([row[end]] * 2, [place - 0.45, place + 0.45], color=colour, linewidth=2)
            reach = [[row["value"] - row["value_low"]], [row["value_high"] - row["value"]]]
            panel.errorbar([row["value"]], [place], xerr=reach, fmt="o", color=DP, capsize=3, markersize=4)
        if baseline is not None:
            panel.axvline(baseline, color=GREY, linestyle=":", linewidth=1)
        names = [f"{task}: {arm}" if len(tasks) > 1 else arm for task, arm in reversed(lines)]
        panel.set(yticks=range(len(lines)), ylim=(-0.7, len(lines) - 0.3), xlabel=metric)
        panel.set_yticklabels(names if panel is panels[0] else [])
    for end, colour in (("floor", PRIVATE), ("ceiling", PUBLIC)):
        panels[-1].plot([], [], color=colour, linewidth=2, label=end)
    panels[-1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def positions(rows: Sequence[Mapping[str, object]]) -> Figure:
    """Every metric that can place an arm, as its position: 0 is the floor, 1 the ceiling."""
    defined = [row for row in rows if row["position"] is not None]
    names = list(dict.fromkeys(f"{row['task']}, {row['metric']}" for row in defined))
    arms = list(dict.fromkeys(str(row["arm"]) for row in rows))
    figure, (panel,) = axes(height=0.34 * max(1, len(names)) + 1.2)
    colours = dict(zip(arms, [GREY, DP, PUBLIC, PRIVATE, "black", *["#7a5195"] * len(arms)], strict=False))
    shift = np.linspace(0.25, -0.25, len(arms))
    for row in defined:
        number = arms.index(str(row["arm"]))
        place = len(names) - 1 - names.index(f"{row['task']}, {row['metric']}") + shift[number]
        reach = [[row["position"] - row["position_low"]], [row["position_high"] - row["position"]]]
        panel.errorbar([row["position"]], [place], xerr=reach, fmt="o", color=colours[str(row["arm"])], markersize=4)
    for arm in arms:
        panel.plot([], [], "o", color=colours[arm], markersize=4, label=arm)
    panel.axvline(0, color=PRIVATE, linewidth=1)
    panel.axvline(1, color=PUBLIC, linewidth=1)
    panel.set(yticks=range(len(names)), yticklabels=names[::-1], xlabel="position: 0 floor, 1 ceiling")
    panel.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure
