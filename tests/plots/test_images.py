"""A contact sheet has a row for each name, and leaves the places empty that a shorter row does not fill."""

import numpy as np

from lib.plots.images import contact_sheet


def test_rows_have_their_names_and_pictures_in_place() -> None:
    grey, colour = np.arange(6, dtype=np.uint8).reshape(2, 3), np.full((2, 3, 3), 9, np.uint8)
    figure = contact_sheet([[grey, grey, grey], [colour]], ["grey", "in colours"])
    shown = [[panel.get_images() for panel in figure.axes[row * 3 : row * 3 + 3]] for row in range(2)]
    assert [[len(images) for images in row] for row in shown] == [[1, 1, 1], [1, 0, 0]]
    assert [figure.axes[0].get_ylabel(), figure.axes[3].get_ylabel()] == ["grey", "in colours"]
    assert np.array_equal(shown[0][0][0].get_array(), grey) and np.array_equal(shown[1][0][0].get_array(), colour)
    assert shown[0][0][0].get_clim() == (0, 255)  # and not from the darkest of a picture to its brightest
