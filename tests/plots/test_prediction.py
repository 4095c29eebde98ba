"""Pictures of private prediction."""

import numpy as np
import pytest

from lib.plots.prediction import lengths, toy_token


def test_each_word_has_a_bar_for_each_mixture() -> None:
    (panel,) = toy_token(["a", "b"], {"alone": np.array([0.3, 0.7]), "with": np.array([0.5, 0.5])}).axes
    assert [bar.get_height() for bar in panel.patches] == pytest.approx([0.3, 0.7, 0.5, 0.5])


def test_texts_are_counted_by_their_tokens_and_by_how_they_ended() -> None:
    (panel,) = lengths([3, 3, 5], [7], 7).axes
    assert sum(bar.get_height() for bar in panel.patches) == 4
    lengths([], [], 7)  # nothing was written
