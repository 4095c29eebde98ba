"""The figures that pre-flight tells of published studies follow from the accountant."""

import pytest

from lib.methods.private_evolution.published import STUDIES
from lib.privacy.accounting import Gaussian, epsilon


@pytest.mark.parametrize("preset", [name for name, study in STUDIES.items() if study.noise])
def test_the_epsilon_of_an_example_is_that_of_its_noise(preset: str) -> None:
    study = STUDIES[preset]
    assert epsilon([Gaussian(study.noise, count=study.votes)], delta=study.delta) == pytest.approx(
        study.epsilon, abs=0.01
    )


@pytest.mark.parametrize(("noise", "votes", "delta", "stated"), [(10 * 2**0.5, 7, 1e-5, 0.67), (2.0, 13, 1e-3, 6.62)])
def test_the_epsilons_of_the_papers(noise: float, votes: int, delta: float, stated: float) -> None:
    assert epsilon([Gaussian(noise, count=votes)], delta=delta) == pytest.approx(stated, abs=0.01)
