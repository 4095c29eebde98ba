"""Pictures of a selection: every arm has its share of candidates and of what was selected."""

import numpy as np
import pytest

from lib.plots.selection import by_source


def test_shares_and_counts_are_those_of_the_chosen() -> None:
    sources, labels = ["a", "a", "a", "b"], ["sad", "glad", "glad", "glad"]
    shares, by_label = by_source(sources, labels, np.array([3, 1, 0])).axes
    widths = [bar.get_width() for bar in shares.patches]
    assert widths == pytest.approx([3 / 4, 1 / 4, 2 / 3, 1 / 3])  # of the candidates, then of the selected
    heights = [bar.get_height() for bar in by_label.patches]
    assert heights == [1, 1, 1, 0]  # glad and sad of arm a, then of arm b
    by_source(["a"], ["all"], np.array([], int))  # nothing was selected
