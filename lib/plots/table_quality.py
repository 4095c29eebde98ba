"""The picture of 23_table_quality: each measure of each set of rows, with its interval."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from lib.evaluation.estimate import Estimate
from lib.plots.style import DP, GREY, PRIVATE, PUBLIC, axes

COLOURS = {"floor": PRIVATE, "ceiling": PUBLIC}


def quality(measured: Mapping[str, Mapping[str, Estimate]], titles: Mapping[str, str]) -> Figure:
    """A panel for each measure, and in it a dot for each set.

    Args:
        measured: set -> measure -> its value with an interval; every set has the same measures. ``floor`` and
            ``ceiling`` are drawn as lines too.
        titles: measure -> what stands above its panel.
    """
    sets, names = [*measured], [*next(iter(measured.values()))]
    figure, panels = axes(width=2.6 * len(names) + 0.6, height=0.32 * len(sets) + 1.0, columns=len(names))
    for panel, name in zip(panels, names, strict=True):
        for place, of in enumerate(sets):
            one, colour = measured[of][name], COLOURS.get(of, DP)
            if of in COLOURS:
                panel.axvline(one.value, color=colour, linewidth=0.9, alpha=0.7)
            panel.plot(one.interval, [place, place], color=colour if of in COLOURS else GREY, linewidth=1.6)
            panel.plot([one.value], [place], "o", color=colour, markersize=5)
        panel.set_title(titles[name], fontsize=9)
        panel.set(yticks=range(len(sets)), yticklabels=sets if panel is panels[0] else [], xlim=(-0.02, 1.02))
        panel.invert_yaxis()
    return figure
