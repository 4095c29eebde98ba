"""The toy token of private prediction, and how long its texts are."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from lib.plots.style import DP, GREY, PRIVATE, axes

LIGHT = "#8fb7c5"  # of what is DP, with one record fewer


def toy_token(words: Sequence[str], chances: dict[str, np.ndarray]) -> Figure:
    """Chances of the next word: a group of bars for each word.

    Args:
        words: of the toy.
        chances: what was mixed -> chance of each word, shape (words,); at most four.
    """
    figure, (panel,) = axes(width=8.0)
    width, places = 0.8 / len(chances), np.arange(len(words))
    for number, ((what, values), colour) in enumerate(
        zip(chances.items(), (GREY, PRIVATE, DP, "#8fb7c5"), strict=False)
    ):
        panel.bar(places - 0.4 + width * (number + 0.5), values, width, color=colour, label=what)
    panel.set(xticks=places, xticklabels=words, ylabel="chance of the word", ylim=(0, 1))
    panel.legend(frameon=False, fontsize=8)
    return figure


def lengths(ended: Sequence[int], cut: Sequence[int], most: int) -> Figure:
    """How many tokens the texts have, and how many were cut.

    Args:
        ended: tokens of each text that ended by itself.
        cut: tokens of each text that was cut at its limit.
        most: the limit, which the budget was calibrated for.
    """
    figure, (panel,) = axes()
    bins = np.arange(0.5, most + 1.5)
    panel.hist([ended, cut], bins, stacked=True, color=[DP, GREY], label=["ended by itself", "cut"])
    panel.axvline(most + 0.5, color=PRIVATE, linestyle="--", linewidth=1)
    panel.set(xlabel="tokens of a text", ylabel="texts", xlim=(0, most + 2))
    panel.legend(frameon=False, fontsize=8)
    return figure
