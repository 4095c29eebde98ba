"""Pictures of the notebooks: one question each, the same look, labels with units."""

from collections.abc import Sequence
from itertools import cycle

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

PRIVATE, DP, PUBLIC, GREY = "#b3392f", "#1f6f8b", "#3d8b40", "#8a8a8a"  # status, everywhere in these colours
ARMS = ("#a9805a", "#1f6f8b", "#e0932f", "#7a5195", "#d65f9b", "#2f4b7c")  # none is that of a floor or a ceiling


def axes(width: float = 7.0, height: float = 3.0, columns: int = 1) -> tuple[Figure, Sequence[plt.Axes]]:
    """An empty figure in the look of all pictures here, and its panels from left to right; sizes in inches."""
    figure, ((*panels,),) = plt.subplots(1, columns, figsize=(width, height), layout="constrained", squeeze=False)
    for one in panels:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.25)
        one.set_axisbelow(True)
    return figure, panels


def arm_colours(arms: Sequence[str]) -> dict[str, str]:
    """A colour for each arm, in the order of the inputs: the same in every picture of a comparison."""
    return dict(zip(arms, cycle(ARMS), strict=False))
