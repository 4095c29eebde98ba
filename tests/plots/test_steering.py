"""Pictures of steering."""

import numpy as np

from lib.methods.steering.toy import release
from lib.plots.steering import MOST, lengths, losses, toy


def test_the_toy_shows_all_records_before_and_behind_the_clip() -> None:
    made = release(noise_multiplier=2.0)
    before, after = toy(made).axes
    assert np.array_equal(before.collections[0].get_offsets(), made.points)
    assert np.array_equal(after.collections[0].get_offsets(), made.clipped)


def test_each_direction_has_a_bar_and_many_are_cut_off() -> None:
    (panel,) = lengths(["a", "b"], [0.3, 0.1], [0.05, np.nan]).axes
    assert [bar.get_width() for bar in panel.patches] == [0.3, 0.1]
    (panel,) = lengths([str(i) for i in range(50)], np.ones(50), np.ones(50)).axes
    assert len(panel.patches) == MOST


def test_losses_stand_over_their_strengths() -> None:
    (panel,) = losses({0.0: (4.0, 3.9, 4.1), 1.0: (3.8, 3.7, 3.9)}).axes
    assert panel.lines[0].get_xydata().tolist() == [[0.0, 4.0], [1.0, 3.8]]
