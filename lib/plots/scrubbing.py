"""Pictures of a scrubbed corpus: what was found, by class and detector, and what is found of made-up values."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import PUBLIC, arm_colours, axes


def found(counts: Mapping[tuple[str, str], int]) -> Figure:
    """How many values of each class were taken out, by the detector that had found them first.

    Args:
        counts: by detector and class. Exact counts of private records.
    """
    classes = sorted({name for _, name in counts}, key=lambda name: sum(n for (_, c), n in counts.items() if c == name))
    detectors = list(dict.fromkeys(detector for detector, _ in counts))
    figure, (panel,) = axes(height=0.28 * max(len(classes), 2) + 0.9)
    places, left = np.arange(len(classes)), np.zeros(len(classes))
    for detector, colour in arm_colours(detectors).items():
        values = np.array([counts.get((detector, name), 0) for name in classes])
        panel.barh(places, values, left=left, color=colour, label=detector)
        left = left + values
    for place, total in zip(places, left, strict=True):
        panel.text(total, place, f" {int(total):,}", va="center", fontsize=9)
    panel.set(yticks=places, yticklabels=classes, xlabel="values taken out")
    if detectors:
        panel.legend(frameon=False, loc="lower right")
    return figure


def of_made_up(found: Mapping[str, int], count: int) -> Figure:
    """Which share of made-up values of each class a scrubber takes out of plain sentences.

    Args:
        found: values by class.
        count: values that were made up of each class.
    """
    names = sorted(found, key=lambda name: (found[name], name))
    figure, (panel,) = axes(height=0.22 * len(names) + 0.9)
    places = np.arange(len(names))
    panel.barh(places, [found[name] / count for name in names], color=PUBLIC)
    panel.set(yticks=places, xlim=(0, 1), xlabel=f"share of {count} made-up values that were taken out")
    panel.set_yticklabels(names, fontsize=8)
    return figure
