"""Pictures of notebook 41_pii_check: two labelled sets side by side, and detectors at home and on foreign text."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import GREY, arm_colours, axes


def marked(text: str, lines: Mapping[str, Sequence[tuple[int, int, str]]]) -> Figure:
    """A short text, and under it the spans of each line as bars.

    Args:
        text: on one line, of some 60 characters.
        lines: by name, spans as start, end and class.
    """
    figure, (panel,) = axes(width=0.13 * len(text) + 1.5, height=0.5 * len(lines) + 1.0)
    for place, character in enumerate(text):
        panel.text(place + 0.5, 0, character, family="monospace", ha="center", va="center")
    colours = arm_colours([*lines])
    for row, (name, spans) in enumerate(lines.items(), 1):
        for start, end, label in spans:
            panel.barh(-row, end - start, left=start, height=0.6, color=colours[name], alpha=0.85)
            panel.text((start + end) / 2, -row, label, ha="center", va="center", fontsize=7, color="white")
    panel.set(
        xlim=(0, len(text)), ylim=(-len(lines) - 0.6, 0.6), xticks=[], yticks=[-row for row in range(1, len(lines) + 1)]
    )
    panel.set_yticklabels([*lines])
    panel.grid(False)
    return figure


def shares(sets: Mapping[str, Mapping[str, float]]) -> Figure:
    """The share of spans that each class has, a bar for each set.

    Args:
        sets: by name, share by class.
    """
    names = sorted(
        {name for one in sets.values() for name in one}, key=lambda name: -next(iter(sets.values())).get(name, 0)
    )
    figure, (panel,) = axes(height=0.28 * len(names) + 1.0)
    height = 0.8 / len(sets)
    for row, (title, one) in enumerate(sets.items()):
        places = np.arange(len(names)) + (row - (len(sets) - 1) / 2) * height
        panel.barh(places, [one.get(name, 0) for name in names], height, color=arm_colours([*sets])[title], label=title)
    panel.set(yticks=range(len(names)), yticklabels=names, xlabel="share of spans")
    panel.invert_yaxis()
    panel.legend(frameon=False, fontsize=8)
    return figure


def lengths(words: Mapping[str, np.ndarray], spans: Mapping[str, np.ndarray]) -> Figure:
    """Two panels: words a text and spans a text, a line for each set.

    Args:
        words: by set, of each text.
        spans: likewise.
    """
    figure, panels = axes(width=9.0, columns=2)
    for panel, counts, unit in zip(panels, (words, spans), ("words", "spans"), strict=True):
        top = max(1, int(max(np.quantile(one, 0.98) for one in counts.values())))
        edges = np.arange(top + 2) - 0.5 if top < 40 else np.linspace(0, top, 40)
        for title, one in counts.items():
            weights = np.full(len(one), 1 / len(one))
            panel.hist(
                np.minimum(one, top), edges, weights=weights, histtype="step", linewidth=1.5,
                color=arm_colours([*counts])[title], label=title,
            )  # fmt: skip
        panel.set(xlabel=f"{unit} in a text", ylabel="share of texts" if panel is panels[0] else "")
    panels[1].legend(frameon=False, fontsize=8)
    return figure


def gaps(rows: Sequence[Mapping[str, object]], metrics: Sequence[str]) -> Figure:
    """A panel a metric, a line a detector: its figure at home (filled) and on each foreign set (open), joined.

    Args:
        rows: of `lib.pii.checking.trials.rows`.
        metrics: those that are shown, at least one.
    """
    figure, panels = axes(width=4.2 * len(metrics) + 1.5, height=2.6, columns=len(metrics))
    detectors = list(dict.fromkeys(str(row["detector"]) for row in rows))
    sets = list(dict.fromkeys(str(row["set"]) for row in rows))
    for panel, metric in zip(panels, metrics, strict=True):
        for line, detector in enumerate(detectors):
            own = [row for row in rows if (row["detector"], row["metric"]) == (detector, metric)]
            shown = [row for row in own if row["value"] is not None]
            if shown:
                ends = [float(row["value"]) for row in shown]
                panel.plot([min(ends), max(ends)], [line, line], color=GREY, linewidth=1)
            for row in shown:
                reach = [[max(0.0, row["value"] - row["low"])], [max(0.0, row["high"] - row["value"])]]
                at_home = row["set"] == sets[0]
                panel.errorbar(
                    [row["value"]], [line], xerr=reach, capsize=3, markersize=7, fmt="os^"[sets.index(str(row["set"]))],
                    color=arm_colours(detectors)[detector], markerfacecolor=None if at_home else "white",
                )  # fmt: skip
        panel.set(yticks=range(len(detectors)), yticklabels=detectors if panel is panels[0] else [])
        panel.set(xlabel=_title(metric), xlim=(0, 1.02), ylim=(len(detectors) - 0.5, -0.5))
    for place, name in enumerate(sets):
        panels[-1].plot([], [], "os^"[place], color=GREY, markerfacecolor=None if place == 0 else "white", label=name)
    panels[-1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def by_class(rows: Sequence[Mapping[str, object]], metrics: Sequence[str]) -> Figure:
    """A panel a metric, a line a class: the figure of one detector on each set, with intervals.

    Args:
        rows: of `lib.pii.checking.trials.rows`, for one detector.
        metrics: those that are shown, at least one.
    """
    names = list(dict.fromkeys(str(row["class"]) for row in rows))
    sets = list(dict.fromkeys(str(row["set"]) for row in rows))
    figure, panels = axes(width=4.2 * len(metrics) + 1.5, height=0.35 * len(names) + 1.2, columns=len(metrics))
    for panel, metric in zip(panels, metrics, strict=True):
        for row in (row for row in rows if row["metric"] == metric and row["value"] is not None):
            place = names.index(str(row["class"])) + (sets.index(str(row["set"])) - (len(sets) - 1) / 2) * 0.25
            reach = [[max(0.0, row["value"] - row["low"])], [max(0.0, row["high"] - row["value"])]]
            colour = arm_colours(sets)[str(row["set"])]
            panel.errorbar([row["value"]], [place], xerr=reach, fmt="o", color=colour, capsize=2, markersize=4)
        panel.set(yticks=range(len(names)), yticklabels=names if panel is panels[0] else [])
        panel.set(xlabel=_title(metric), xlim=(-0.02, 1.02), ylim=(len(names) - 0.5, -0.5))
    for name, colour in arm_colours(sets).items():
        panels[-1].plot([], [], "o", color=colour, markersize=4, label=name)
    panels[-1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _title(metric: str) -> str:
    return metric.replace("_", " ").replace("f1", "F1")
