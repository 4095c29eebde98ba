"""Pictures of a training show the figures that they are given."""

import numpy as np
import pytest
from scipy.stats import binom

from lib.plots import training


def test_each_unit_of_a_batch_has_its_dot_and_each_batch_its_size() -> None:
    (panel,) = training.poisson_toy([[0, 2], [], [1]], units=3).axes
    dots = [tuple(dot) for points in panel.collections for dot in np.asarray(points.get_offsets())]
    assert sorted(dots) == [(0, 0), (0, 2), (2, 1)]
    assert [text.get_text() for text in panel.texts] == ["2", "0", "1"]


def test_realised_batches_stand_beside_the_binomial_band() -> None:
    (panel,) = training.batch_sizes([3, 5], units=40, probability=0.1).axes
    expected, realised = panel.lines
    assert expected.get_ydata()[0] == pytest.approx(4.0)
    assert (list(realised.get_xdata()), list(realised.get_ydata())) == ([1, 2], [3, 5])
    (band,) = panel.patches
    low, high = band.get_y(), band.get_y() + band.get_height()
    assert (low, high) == tuple(binom.ppf([0.025, 0.975], 40, 0.1))


def test_epsilon_rises_to_its_target() -> None:
    (panel,) = training.spent([0, 5], [0.5, 7.9], target=8.0).axes
    spent, target = panel.lines
    assert list(spent.get_ydata()) == [0.5, 7.9] and set(target.get_ydata()) == {8.0}


def test_a_loss_stands_within_its_interval() -> None:
    (panel,) = training.loss_curve([0, 5], [2.0, 1.5], [1.75, 1.0], [2.5, 1.75]).axes
    (segments,) = [bars.get_segments() for bars in panel.collections]
    assert [segment[:, 1].tolist() for segment in segments] == [[1.75, 2.5], [1.0, 1.75]]
