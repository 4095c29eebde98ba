"""The look that all pictures share: panels and colours."""

from collections.abc import Sequence
from itertools import cycle

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

PRIVATE, DP, PUBLIC, GREY = "#b3392f", "#1f6f8b", "#3d8b40", "#8a8a8a"  # by privacy status, in every picture
ARMS = ("#a9805a", "#1f6f8b", "#e0932f", "#7a5195", "#d65f9b", "#2f4b7c")  # none is the colour of a floor or a ceiling


def axes(width: float = 7.0, height: float = 3.0, columns: int = 1) -> tuple[Figure, Sequence[plt.Axes]]:
    """An empty figure and its panels from left to right.

    Args:
        width: of the figure, in inches.
        height: of the figure, in inches.
        columns: number of panels.
    """
    figure, ((*panels,),) = plt.subplots(1, columns, figsize=(width, height), layout="constrained", squeeze=False)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
        panel.set_axisbelow(True)
    return figure, panels


def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """A colour for each of ``arms``, which are in the order of the inputs, so that an arm keeps its colour."""
    return dict(zip(arms, cycle(ARMS), strict=False))
