"""Pictures of records: how many each rule keeps, their lengths, noisy label counts, rejected completions."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.data.processing import Step
from lib.plots.style import DP, GREY, PRIVATE, PUBLIC, axes


def kept(steps: Sequence[Step]) -> Figure:
    """How many records each rule of `lib.data.processing` kept and dropped; ``steps`` are in the order of the rules."""
    figure, (panel,) = axes(height=0.36 * len(steps) + 0.8)
    places, total = np.arange(len(steps))[::-1], steps[0].kept + steps[0].dropped
    panel.barh(places, [step.kept for step in steps], color=GREY)
    panel.barh(places, [step.dropped for step in steps], left=[step.kept for step in steps], color=PRIVATE)
    for place, step in zip(places, steps, strict=True):
        text = f"{step.kept:,}" + (f"  (dropped {step.dropped:,})" if step.dropped else "")
        panel.text(total * 1.01, place, text, va="center", fontsize=9)
    panel.set(yticks=places, yticklabels=[step.rule for step in steps], xlim=(0, total * 1.28), xlabel="records")
    return figure


def lengths(groups: Mapping[str, Sequence[int]], unit: str) -> Figure:
    """Histogram of lengths by group, as shares, so that groups of different sizes can be compared.

    Args:
        groups: length of each text, by group; at most 4 groups.
        unit: of the lengths: ``words``.
    """
    figure, (panel,) = axes()
    longest = max(max(values) for values in groups.values())
    bins = np.linspace(0, longest + 1, min(longest + 2, 32))
    for (name, values), colour in zip(groups.items(), (GREY, DP, PUBLIC, PRIVATE), strict=False):
        weights, label = np.full(len(values), 1 / len(values)), f"{name} (n = {len(values):,})"
        panel.hist(values, bins, weights=weights, histtype="step", linewidth=1.8, color=colour, label=label)
    panel.set(xlabel=f"length of a record ({unit})", ylabel="share of records")
    panel.legend(frameon=False)
    return figure


def noisy_histogram(names: Sequence[str], noisy: Sequence[int], scale: float | None) -> Figure:
    """Released label counts with 95% intervals of their noise; clean counts are never shown.

    Args:
        names: of the cells.
        noisy: released count of each cell.
        scale: standard deviation of the noise, in records; None for a histogram that is declared public.
    """
    figure, (panel,) = axes(width=max(4.0, min(14.0, 0.9 * len(names) + 2)))
    error = None if scale is None else 1.96 * scale
    panel.bar(range(len(names)), noisy, yerr=error, color=DP if scale else PUBLIC, capsize=4)
    panel.set(ylabel="released count", xticks=range(len(names)))
    panel.set_xticklabels(names, rotation=0 if len(names) <= 6 else 60, ha="center" if len(names) <= 6 else "right")
    return figure


def rejections(counts: Mapping[str, int]) -> Figure:
    """How many completions were kept, and how many were rejected for each reason.

    Args:
        counts: completions by reason, and those under ``kept``.
    """
    figure, (panel,) = axes(height=0.4 * len(counts) + 0.8)
    names, places = list(counts), np.arange(len(counts))[::-1]
    panel.barh(places, list(counts.values()), color=[DP if name == "kept" else GREY for name in names])
    for place, value in zip(places, counts.values(), strict=True):
        panel.text(value, place, f" {value:,}", va="center", fontsize=9)
    panel.set(yticks=places, yticklabels=names, xlabel="completions")
    return figure
