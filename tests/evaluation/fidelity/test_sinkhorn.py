"""Sinkhorn divergence: converged transport, exact assignment, bad input."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from support.errors import refused
from support.fidelity_toys import embeddings

from lib.evaluation.fidelity.sinkhorn import sinkhorn_divergence


def naive_transport(a: np.ndarray, b: np.ndarray, temperature: float) -> float:
    cost = cdist(a, b, "sqeuclidean") / 2
    f, g = np.zeros(len(a)), np.zeros(len(b))
    for _ in range(600):
        f = -temperature * (logsumexp((g - cost) / temperature, axis=1) - np.log(len(b)))
        g = -temperature * (logsumexp((f[:, None] - cost) / temperature, axis=0) - np.log(len(a)))
    return f.mean() + g.mean()


def test_sinkhorn_is_the_converged_debiased_transport():
    a, b = embeddings(25, 3, seed=1), embeddings(20, 3, seed=2) * 0.7 + 0.5
    expected = naive_transport(a, b, 0.09) - (naive_transport(a, a, 0.09) + naive_transport(b, b, 0.09)) / 2
    assert sinkhorn_divergence(a, b, blur=0.3) == pytest.approx(expected, rel=0.03)


def test_sinkhorn_with_little_blur_is_half_the_squared_wasserstein_distance():
    a, b = embeddings(60, 4, seed=1), embeddings(60, 4, seed=2) + 1
    cost = cdist(a, b, "sqeuclidean") / 2
    assert sinkhorn_divergence(a, b, blur=0.02) == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=0.03)
    assert sinkhorn_divergence(a, a + 2.0) == pytest.approx(8.0, rel=1e-3)  # a shift costs |shift|^2 / 2
    assert abs(sinkhorn_divergence(a, a)) < 1e-5


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan])
def test_a_blur_that_is_not_a_length_is_refused(scale):
    a, b = embeddings(2, 20, 3)
    with refused("evaluation.not_a_length", name="blur"):
        sinkhorn_divergence(a, b, blur=scale)


def test_equal_records_give_no_blur():
    same = np.ones((20, 3))
    with refused("evaluation.median_distance_zero", name="real", value=20):
        sinkhorn_divergence(same, same)
