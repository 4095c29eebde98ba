"""Pictures of records: how many each rule keeps, lengths, noisy label counts, rejections."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import DP, GREY, PRIVATE, PUBLIC, axes


def kept(steps: Sequence) -> Figure:
    """How many records each rule of `lib.data.processing` let through, in the order of the rules."""
    figure, (panel,) = axes(height=0.36 * len(steps) + 0.8)
    places, total = np.arange(len(steps))[::-1], steps[0].kept + steps[0].dropped
    panel.barh(places, [s.kept for s in steps], color=GREY)
    panel.barh(places, [s.dropped for s in steps], left=[s.kept for s in steps], color=PRIVATE)
    for place, step in zip(places, steps, strict=True):
        text = f"{step.kept:,}" + (f"  (dropped {step.dropped:,})" if step.dropped else "")
        panel.text(total * 1.01, place, text, va="center", fontsize=9)
    panel.set(yticks=places, yticklabels=[s.rule for s in steps], xlim=(0, total * 1.28), xlabel="records")
    return figure


def lengths(groups: Mapping[str, Sequence[int]], unit: str) -> Figure:
    """Distribution of lengths of each group of texts, as shares, so that groups of any size compare."""
    figure, (panel,) = axes()
    longest = max(max(values) for values in groups.values())
    bins = np.linspace(0, longest + 1, min(longest + 2, 32))
    for (name, values), colour in zip(groups.items(), (GREY, DP, PUBLIC, PRIVATE), strict=False):
        share = np.full(len(values), 1 / len(values))
        panel.hist(
            values,
            bins,
            weights=share,
            histtype="step",
            linewidth=1.8,
            color=colour,
            label=f"{name} (n = {len(values):,})",
        )
    panel.set(xlabel=f"length of a record ({unit})", ylabel="share of records")
    panel.legend(frameon=False)
    return figure


def noisy_histogram(names: Sequence[str], noisy: Sequence[int], scale: float | None) -> Figure:
    """Released label counts with the 95% band of their noise; clean counts are never shown."""
    figure, (panel,) = axes(width=max(4.0, min(14.0, 0.9 * len(names) + 2)))
    error = None if scale is None else 1.96 * scale
    panel.bar(range(len(names)), noisy, yerr=error, color=DP if scale else PUBLIC, capsize=4)
    panel.set(ylabel="released count", xticks=range(len(names)))
    panel.set_xticklabels(names, rotation=0 if len(names) <= 6 else 60, ha="center" if len(names) <= 6 else "right")
    return figure


def rejections(counts: Mapping[str, int]) -> Figure:
    """What became of every completion: kept, or why it was drawn again."""
    figure, (panel,) = axes(height=0.4 * len(counts) + 0.8)
    names, places = list(counts), np.arange(len(counts))[::-1]
    panel.barh(places, list(counts.values()), color=[DP if name == "kept" else GREY for name in names])
    for place, value in zip(places, counts.values(), strict=True):
        panel.text(value, place, f" {value:,}", va="center", fontsize=9)
    panel.set(yticks=places, yticklabels=names, xlabel="completions")
    return figure
