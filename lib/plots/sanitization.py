"""Pictures of notebook 51_sanitize: leaks between floor and ceiling, lengths, and a text before and after."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.plots.pii_text import coloured
from lib.plots.style import DP, GREY, PRIVATE, PUBLIC, axes

Interval = tuple[float, float, float]  # value, low, high
Marked = tuple[str, Sequence[tuple[int, int, str]]]  # text, and spans (start, end, label), disjoint and in order

_SIDES = {  # name of a side -> what the legend calls it, its colour and mark
    "unsanitized": ("unsanitized (floor)", PRIVATE, "s"),
    "sanitized": ("sanitized", DP, "o"),
    "masked": ("all masked (ceiling)", PUBLIC, "^"),
}


def rates(values: Mapping[str, Mapping[str, Interval]], titles: Mapping[str, str]) -> Figure:
    """A line for each rate, on it the three sides with their intervals.

    Args:
        values: side (``unsanitized``, ``sanitized``, ``masked``) -> rate -> share in [0, 1] with its interval; a side
            or a rate may be missing.
        titles: rate -> what stands beside its line; the order of the lines, from the top.
    """
    figure, (panel,) = axes(width=9.0, height=0.45 * len(titles) + 1.2)
    for place, (side, (label, colour, mark)) in enumerate(_SIDES.items()):
        points = [(line, *values[side][name]) for line, name in enumerate(titles) if name in values.get(side, {})]
        if not points:
            continue
        lines, middles, lows, highs = (np.array(column, float) for column in zip(*points, strict=True))
        reach = np.maximum(0, [middles - lows, highs - middles])
        panel.errorbar(
            middles, lines + 0.2 * (place - 1), xerr=reach, fmt=mark, color=colour, label=label, capsize=3, markersize=6
        )
    panel.set(yticks=range(len(titles)), yticklabels=[*titles.values()], xlim=(-0.02, 1.02), xlabel="share")
    panel.set_ylim(len(titles) - 0.5, -0.5)
    panel.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def lengths(before: Sequence[int], after: Sequence[int]) -> Figure:
    """Left: how long texts are before and after. Right: how much of each is left.

    Args:
        before: characters of each original, at least 1.
        after: of each sanitized text, in the same order.
    """
    figure, (left, right) = axes(columns=2, height=2.8)
    edges = np.linspace(0, max([*before, *after, 1]), 41)
    for counts, colour, label in ((before, GREY, "before"), (after, DP, "after")):
        left.hist(counts, edges, histtype="step", linewidth=1.5, color=colour, label=label)
    left.set(xlabel="length of a text (characters)", ylabel="texts")
    left.legend(frameon=False, fontsize=8)
    right.hist(np.array(after) / np.array(before), bins=40, color=DP)
    right.axvline(1, color=GREY, linewidth=1)
    right.set(xlabel="length after, as a share of before")
    return figure


def side_by_side(texts: Sequence[tuple[Marked, Marked]]) -> str:
    """Texts as HTML before (left) and after (right), with their spans in colour.

    Args:
        texts: of made-up people, pairs of before and after.
    """
    style = 'style="vertical-align: top; width: 50%; padding: 0 12px; text-align: left"'
    rows = [f"<tr><td {style}>{coloured([old])}</td><td {style}>{coloured([new])}</td></tr>" for old, new in texts]
    return f"<table><tr><th>before</th><th>after</th></tr>{''.join(rows)}</table>"
