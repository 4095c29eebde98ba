"""The toy of steering, how long directions are, and what they do to the loss."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from lib.methods.steering.toy import CLIP, Release
from lib.plots.style import DP, GREY, PRIVATE, axes

MOST = 20  # directions that are shown


def toy(made_up: Release) -> Figure:
    """The toy's records before and after the clip, and their means.

    Args:
        made_up: the records and what becomes of them.
    """
    figure, (before, after) = axes(width=8.5, height=3.6, columns=2)
    before.scatter(*made_up.points.T, color=PRIVATE, s=18, label="records")
    before.scatter(*made_up.plain_mean, color="black", marker="x", s=60, label="their mean")
    before.set_title("as they are", fontsize=10)
    after.scatter(*made_up.clipped.T, color=PRIVATE, s=18, label="records, clipped")
    after.scatter(*made_up.noisy_means.T, color=DP, marker="+", s=40, label="their mean with noise, 12 draws")
    after.scatter(*made_up.clipped_mean, color="black", marker="x", s=60, label="their mean")
    after.set_title("clipped", fontsize=10)
    for panel in (before, after):
        panel.add_patch(Circle((0, 0), CLIP, fill=False, color=GREY, linestyle="--"))
        panel.set_aspect("equal")
        panel.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    return figure


def lengths(names: Sequence[str], values: Sequence[float], of_noise: Sequence[float], noisy: bool = True) -> Figure:
    """The length of each direction, and the one that noise alone would have.

    Args:
        names: of the directions.
        values: their lengths, in spreads of the model's own texts.
        of_noise: likewise; not a number where none is known.
        noisy: whether the directions have noise; else they are private, and so is the picture.
    """
    shown = slice(max(0, len(names) - MOST), None)
    names, values, of_noise = names[shown], np.asarray(values)[shown], np.asarray(of_noise)[shown]
    figure, (panel,) = axes(height=0.8 + 0.32 * len(names))
    places = np.arange(len(names))[::-1]
    panel.barh(places, values, 0.6, color=DP if noisy else PRIVATE)
    panel.vlines(of_noise, places - 0.3, places + 0.3, color="black")
    panel.set(yticks=places, yticklabels=names, xlabel="length of the direction; black: that of noise alone")
    return figure


def losses(curve: Mapping[float, tuple[float, float, float]]) -> Figure:
    """Held-out loss against the strength of a direction.

    Args:
        curve: strength -> mean loss in nats a token, and the ends of its interval.
    """
    figure, (panel,) = axes()
    strengths, (values, low, high) = list(curve), np.array(list(curve.values())).T
    panel.errorbar(strengths, values, [values - low, high - values], color=PRIVATE, marker="o", capsize=3)
    panel.set(xlabel="strength", ylabel="held-out loss, nats a token")
    return figure
