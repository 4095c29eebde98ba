"""Fréchet distance and MMD: closed forms, brute force, invariances."""

from itertools import product

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist, pdist
from scipy.stats import binom
from support.errors import refused
from support.fidelity_toys import embeddings

from lib.evaluation.fidelity.frechet_mmd import frechet_distance, frechet_infinity, mmd, weighted_mmd


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def exact_gaussian(n: int, mean: np.ndarray, root: np.ndarray, seed: int) -> np.ndarray:
    """n records whose sample mean is ``mean`` and whose sample covariance is root^T root."""
    raw = embeddings(n, len(mean), seed=seed)
    raw -= raw.mean(axis=0)
    whitened = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    return whitened @ root + mean


def test_frechet_of_gaussians_has_its_closed_form():
    scales, other = np.array([1.0, 2.0, 0.5]), np.array([2.0, 1.0, 0.5])
    a = exact_gaussian(50, np.zeros(3), np.diag(scales), 1)
    b = exact_gaussian(70, np.array([1.0, 0.0, -2.0]), np.diag(other), 2)
    assert frechet_distance(a, b) == pytest.approx(5 + ((scales - other) ** 2).sum(), rel=1e-10)


@pytest.mark.parametrize(("n", "m", "d"), [(60, 45, 7), (30, 30, 29)])
def test_frechet_is_that_of_the_matrix_root(n, m, d):
    mix = embeddings(2, d, d, seed=3)
    a, b = embeddings(n, d, seed=1) @ mix[0] + 0.3, embeddings(m, d, seed=2) @ mix[1]
    s, t = np.cov(a.T), np.cov(b.T)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_with_fewer_records_than_dimensions():
    a, b = embeddings(12, 40, seed=1), 1.5 * embeddings(9, 40, seed=2)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(np.cov(a.T) @ np.cov(b.T)).real, 0))
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T)) - 2 * roots.sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-5)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-10)


def test_the_extrapolation_removes_the_bias_of_small_n():
    shift = np.r_[0.5, np.zeros(7)]
    pairs = [(embeddings(240, 8, seed=seed), embeddings(240, 8, seed=seed + 99) + shift) for seed in range(80)]
    plain = np.mean([frechet_distance(*pair) for pair in pairs])
    extrapolated = np.array([frechet_infinity(*pair, rng(7)) for pair in pairs])
    error = extrapolated.std(ddof=1) / np.sqrt(80)
    assert plain - 0.25 > 5 * error  # the truth is |shift|^2
    assert abs(extrapolated.mean() - 0.25) < 3.5 * error


def naive_mmd(a: np.ndarray, b: np.ndarray, bandwidth: float) -> float:
    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.exp(-cdist(x, y, "sqeuclidean") / (2 * bandwidth**2))

    n, m = len(a), len(b)
    within = (kernel(a, a).sum() - n) / (n * (n - 1)) + (kernel(b, b).sum() - m) / (m * (m - 1))
    return within - 2 * kernel(a, b).mean()


def test_mmd_is_that_of_all_pairs_with_the_median_bandwidth():
    a, b = embeddings(31, 5, seed=1) + 40, embeddings(24, 5, seed=2) + 40.4
    result = mmd(a, b, rng(3), permutations=10)
    assert result.bandwidth == pytest.approx(np.median(pdist(a)), rel=1e-4)
    assert result.value == pytest.approx(naive_mmd(a, b, result.bandwidth), abs=1e-6)


def test_weighted_mmd_counts_no_pair_of_a_record_with_itself():
    x, counts = embeddings(9, 3, seed=1).astype(np.float32), rng(2).integers(0, 4, size=(2, 9))
    kernel = np.exp(-cdist(x, x, "sqeuclidean") / 2)

    def mean(left: np.ndarray, right: np.ndarray) -> float:
        pairs = [(i, j) for i, j in product(np.repeat(range(9), left), np.repeat(range(9), right)) if i != j]
        return np.mean([kernel[pair] for pair in pairs])

    expected = mean(counts[0], counts[0]) + mean(counts[1], counts[1]) - 2 * mean(*counts)
    assert weighted_mmd(x, counts[0][:, None], counts[1][:, None], 1.0)[0] == pytest.approx(expected, abs=1e-6)


def test_the_permutation_p_is_uniform_on_equal_sets_and_smallest_on_far_ones():
    small = [mmd(*embeddings(2, 15, 3, seed=seed), rng(seed), permutations=39).p <= 0.2 for seed in range(200)]
    assert binom.ppf(1e-5, 200, 0.2) <= sum(small) <= binom.ppf(1 - 1e-5, 200, 0.2)
    a = embeddings(20, 3)
    assert mmd(a, a + 5, rng(1), permutations=39).p == 1 / 40


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan])
def test_a_bandwidth_that_is_not_a_length_is_refused(scale):
    a, b = embeddings(2, 20, 3)
    with refused("evaluation.not_a_length", name="bandwidth"):
        mmd(a, b, rng(), bandwidth=scale)


def test_equal_records_give_no_bandwidth_but_a_frechet_distance():
    same = np.ones((20, 3))
    with refused("evaluation.median_distance_zero", name="real", value=20):
        mmd(same, same, rng())
    assert frechet_distance(same, same + 1) == pytest.approx(3)
    assert mmd(same, same + 9, rng(), bandwidth=1.0).value == pytest.approx(2)
