"""A picture of how novelty is measured: points on a circle stand for texts."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import DP, GREY, PRIVATE, PUBLIC, axes


def gain_on_a_circle(
    history: Sequence[float], before: float, angles: Sequence[float], gains: Sequence[float]
) -> Figure:
    """Left: texts as points on a circle. Right: what a revision gains, by where it lies.

    Args:
        history: angles of the records before, in degrees.
        before: angle of the text that is to be revised.
        angles: of possible revisions, ascending, in degrees.
        gains: in Vendi score, of each.
    """
    figure, (left, right) = axes(columns=2, height=3.2)
    for degrees, colour, label in ((history, GREY, "records before"), ([before], PRIVATE, "the text")):
        radians = np.radians(degrees)
        left.scatter(np.cos(radians), np.sin(radians), s=60, color=colour, label=label, zorder=3)
    circle = np.radians(np.linspace(0, 360, 200))
    left.plot(np.cos(circle), np.sin(circle), color=GREY, linewidth=0.6)
    left.set(aspect="equal", xticks=[], yticks=[], title="texts as points")
    left.spines[:].set_visible(False)
    left.legend(loc="center", frameon=False)
    gained = np.asarray(gains)
    right.plot(angles, gained, color=DP)
    right.fill_between(angles, 0, gained, where=gained > 0, color=PUBLIC, alpha=0.3)
    right.axhline(0, color=GREY, linewidth=0.8)
    right.axvline(before, color=PRIVATE, linewidth=0.8)
    right.set(xlabel="where the revision lies (degrees)", ylabel="gain in Vendi score")
    return figure
