"""The picture of novelty on a circle."""

from lib.plots.acceptance import gain_on_a_circle


def test_every_record_and_every_gain_is_drawn() -> None:
    left, right = gain_on_a_circle([10, 20, 30], 20, [0, 45, 90], [-0.1, 0.1, 0.4]).axes
    assert [len(dots.get_offsets()) for dots in left.collections] == [3, 1]
    assert list(right.lines[0].get_ydata()) == [-0.1, 0.1, 0.4]
