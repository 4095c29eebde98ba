"""Where selected texts come from: shares of the arms among candidates and selected, and by label."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import GREY, arm_colours, axes


def by_source(sources: Sequence[str], labels: Sequence[str], chosen: np.ndarray) -> Figure:
    """The arms' shares of all candidates and of those that were selected; and the selected of each label, by arm.

    Args:
        sources: stage id of the arm that wrote each candidate, (candidates,).
        labels: each candidate's labels as words, (candidates,).
        chosen: indices of the selected candidates.
    """
    sources, labels = np.array(sources), np.array(labels)
    arms, names = list(dict.fromkeys(sources.tolist())), sorted(set(labels.tolist()))
    colours = arm_colours(arms)
    figure, (shares, by_label) = axes(width=10.0, height=max(3.0, 0.6 * len(arms) + 1.5), columns=2)
    places = np.arange(len(arms))
    among = [np.array([np.mean(some == arm) for arm in arms]) for some in (sources, sources[chosen])]
    shares.barh(places - 0.2, among[0], 0.4, color=GREY, label="of all candidates")
    shares.barh(places + 0.2, among[1], 0.4, color=[colours[arm] for arm in arms], label="of the selected")
    shares.set(yticks=places, yticklabels=arms, xlabel="share", xlim=(0, 1))
    shares.invert_yaxis()
    shares.legend(frameon=False, fontsize=8)
    bottom = np.zeros(len(names))
    for arm in arms:
        own = labels[chosen][sources[chosen] == arm]
        heights = np.array([np.sum(own == name) for name in names])
        by_label.bar(names, heights, bottom=bottom, color=colours[arm], label=arm)
        bottom += heights
    by_label.set(ylabel="selected texts", xlabel="label")
    by_label.set_ylim(top=1.3 * max(bottom.max(initial=0), 1))  # room for the legend
    by_label.tick_params(axis="x", rotation=30)
    by_label.legend(frameon=False, fontsize=8)
    return figure
