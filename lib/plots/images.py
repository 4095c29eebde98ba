"""Contact sheets of pictures: made-up and synthetic ones only, never private ones."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def contact_sheet(rows: Sequence[Sequence[np.ndarray]], names: Sequence[str], size: float = 0.6) -> Figure:
    """Pictures in rows, each row with its name.

    Args:
        rows: pictures of each row, uint8, shape (height, width) or (height, width, 3). They may be shown.
        names: of the rows.
        size: width and height of a picture, in inches.
    """
    columns = max(map(len, rows))
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(size * columns + 1.2, size * len(rows)), squeeze=False, layout="constrained"
    )
    for line, (pictures, name) in enumerate(zip(rows, names, strict=True)):
        for place, panel in enumerate(axes[line]):
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            if place < len(pictures):
                panel.imshow(pictures[place], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes[line, 0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure
