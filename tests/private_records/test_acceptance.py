"""The two rules of acceptance, by hand."""

import numpy as np
import pytest

from lib.private_records.acceptance import Acceptance


@pytest.mark.parametrize(
    "preferred, gain, accepted",
    [(True, 0.01, True), (True, 0.0, False), (True, -0.2, False), (False, 0.9, False), (False, 1.1, True),
     (True, None, True), (False, None, False)],
)  # fmt: skip
def test_the_threshold(preferred: bool, gain: float | None, accepted: bool) -> None:
    assert Acceptance().probability(preferred, gain) == accepted


def test_without_the_diversity_term_the_judge_decides() -> None:
    rule = Acceptance(diversity=False)
    assert rule.probability(True, -3.0) == 1 and rule.probability(False, 3.0) == 0


@pytest.mark.parametrize("preferred, gain", [(False, 0.2), (False, None), (True, -1.4), (False, -0.3)])
def test_metropolis_accepts_a_lower_score_by_how_much_lower_it_is(preferred: bool, gain: float | None) -> None:
    rule = Acceptance("metropolis", temperature=0.5)
    change = (0.5 if preferred else -0.5) + 0.5 * (gain or 0.0)
    assert change < 0 and rule.probability(preferred, gain) == pytest.approx(np.exp(change / 0.5))
    assert rule.probability(True, 0.3) == rule.probability(False, 1.5) == 1  # a higher score always
    assert Acceptance("metropolis", False, 0.5).probability(preferred, gain) == (1 if preferred else np.exp(-1))
