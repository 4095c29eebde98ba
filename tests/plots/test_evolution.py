"""Pictures of private evolution: what is not defined is not drawn."""

import warnings

import numpy as np
import pytest

from lib.plots.evolution import ranked_votes


@pytest.mark.parametrize("noisy", [[-3.0, 1.0], [0.0, 0.0], [-2.0]])
def test_shares_are_drawn_only_where_the_noisy_votes_have_a_positive_sum(noisy: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranks, shares = ranked_votes([np.array(noisy), np.array([3.0, 1.0])], sigma=2.0).axes
    assert len(ranks.lines) == 2
    (line,) = shares.lines
    assert line.get_ydata() == pytest.approx([0.75, 1.0])
