"""Pictures of notebook 50_private_records: attributes, accepted revisions, lengths, and what adds to diversity."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest

from lib.plots.style import DP, GREY, PUBLIC, arm_colours, axes


def attributes_by_category(counts: Mapping[str, int]) -> Figure:
    """How many attributes the records tell, a bar for each category, with its share.

    Args:
        counts: attributes by category, in the order in which they are shown.
    """
    figure, (panel,) = axes(height=0.4 * len(counts) + 0.9)
    bars = panel.barh([*counts], [*counts.values()], color=[*arm_colours([*counts]).values()], height=0.65)
    total = max(1, sum(counts.values()))
    panel.bar_label(bars, [f"{count:,} ({count / total:.0%})" for count in counts.values()], padding=4, fontsize=8)
    panel.set(xlabel="attributes told", xlim=(0, 1.25 * max(1, *counts.values())))
    panel.invert_yaxis()
    return figure


def acceptance_by_round(rounds: Sequence[tuple[int, int]]) -> Figure:
    """The share of revisions that were accepted in each round, with Wilson's 95% interval.

    Args:
        rounds: accepted and judged revisions of each round, from the first on; at least one judged in each.
    """
    figure, (panel,) = axes(width=1.1 * len(rounds) + 2.5, height=2.8)
    places = np.arange(1, len(rounds) + 1)
    shares = np.array([accepted / judged for accepted, judged in rounds])
    ends = [binomtest(accepted, judged).proportion_ci(method="wilson") for accepted, judged in rounds]
    reach = [
        [max(0.0, share - one.low) for share, one in zip(shares, ends, strict=True)],
        [max(0.0, one.high - share) for share, one in zip(shares, ends, strict=True)],
    ]
    panel.bar(places, shares, width=0.55, color=PUBLIC, alpha=0.6)
    panel.errorbar(places, shares, yerr=reach, fmt="none", ecolor=GREY, capsize=4)
    for place, (accepted, judged) in zip(places, rounds, strict=True):
        panel.annotate(f"{accepted} of {judged}", (place, 0.02), ha="center", fontsize=8)
    panel.set(xticks=places, xlabel="round", ylabel="share accepted", ylim=(0, 1))
    return figure


def lengths(words: Sequence[int]) -> Figure:
    """How long the texts are, with the median as a line.

    Args:
        words: of each text, at least one.
    """
    figure, (panel,) = axes(height=2.6)
    panel.hist(words, bins=min(40, max(5, len(set(words)))), color=GREY)
    panel.axvline(float(np.median(words)), color=DP, linewidth=1.5, label=f"median {np.median(words):.0f}")
    panel.set(xlabel="words in a text", ylabel="texts")
    panel.legend(frameon=False, fontsize=8)
    return figure


def vendi_by_ablation(scores: Mapping[str, tuple[float, float, float]]) -> Figure:
    """The Vendi score of each variant with its interval; a dashed line through the first one's value.

    Args:
        scores: by variant, value, low and high; the full recipe comes first.
    """
    figure, (panel,) = axes(height=0.45 * len(scores) + 0.9)
    colours = arm_colours([*scores])
    for place, (name, (value, low, high)) in enumerate(scores.items()):
        reach = [[max(0.0, value - low)], [max(0.0, high - value)]]
        panel.errorbar([value], [place], xerr=reach, fmt="o", color=colours[name], capsize=4)
        panel.annotate(
            f"{value:.1f}", (value, place), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=8
        )
    panel.axvline(next(iter(scores.values()))[0], color=GREY, linestyle="--", linewidth=1)
    panel.set(yticks=range(len(scores)), ylim=(len(scores) - 0.5, -0.6), xlabel="Vendi score (texts in effect)")
    panel.set_yticklabels([*scores])
    return figure
