"""Frechet, MMD, Sinkhorn, two-sample test: closed forms, brute force, invariances, bad input."""

from itertools import product

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist, pdist
from scipy.special import logsumexp
from scipy.stats import binom

from lib.common.errors import DoppelError
from lib.evaluation.fidelity.frechet_mmd import frechet_distance, frechet_infinity, mmd, weighted_mmd
from lib.evaluation.fidelity.pairwise import median_distance, squared_distances
from lib.evaluation.fidelity.sinkhorn import sinkhorn_divergence
from lib.evaluation.fidelity.two_sample_test import match_lengths, two_sample_accuracy


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def exact_gaussian(n: int, mean: np.ndarray, root: np.ndarray, seed: int) -> np.ndarray:
    """n records whose sample mean is ``mean`` and whose sample covariance is root^T root."""
    raw = rng(seed).normal(size=(n, len(mean)))
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
    mix = rng(3).normal(size=(2, d, d))
    a, b = rng(1).normal(size=(n, d)) @ mix[0] + 0.3, rng(2).normal(size=(m, d)) @ mix[1]
    s, t = np.cov(a.T), np.cov(b.T)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_with_fewer_records_than_dimensions():
    a, b = rng(1).normal(size=(12, 40)), 1.5 * rng(2).normal(size=(9, 40))
    roots = np.sqrt(np.maximum(np.linalg.eigvals(np.cov(a.T) @ np.cov(b.T)).real, 0))
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T)) - 2 * roots.sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-5)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-10)


def test_the_extrapolation_removes_the_bias_of_small_n():
    shift = np.r_[0.5, np.zeros(7)]
    pairs = [(rng(seed).normal(size=(240, 8)), rng(seed + 99).normal(size=(240, 8)) + shift) for seed in range(80)]
    plain = np.mean([frechet_distance(*pair) for pair in pairs])
    extrapolated = np.array([frechet_infinity(*pair, rng(7)) for pair in pairs])
    error = extrapolated.std(ddof=1) / np.sqrt(80)
    assert plain - 0.25 > 5 * error  # the truth is |shift|^2
    assert abs(extrapolated.mean() - 0.25) < 3.5 * error


def naive_mmd(a: np.ndarray, b: np.ndarray, bandwidth: float) -> float:
    def kernel(x, y):
        return np.exp(-cdist(x, y, "sqeuclidean") / (2 * bandwidth**2))

    n, m = len(a), len(b)
    within = (kernel(a, a).sum() - n) / (n * (n - 1)) + (kernel(b, b).sum() - m) / (m * (m - 1))
    return within - 2 * kernel(a, b).mean()


def test_mmd_is_that_of_all_pairs_with_the_median_bandwidth():
    a, b = rng(1).normal(size=(31, 5)) + 40, rng(2).normal(size=(24, 5)) + 40.4
    result = mmd(a, b, rng(3), permutations=10)
    assert result.bandwidth == pytest.approx(np.median(pdist(a)), rel=1e-4)
    assert result.value == pytest.approx(naive_mmd(a, b, result.bandwidth), abs=1e-6)


def test_weighted_mmd_counts_no_pair_of_a_record_with_itself():
    x, counts = rng(1).normal(size=(9, 3)).astype(np.float32), rng(2).integers(0, 4, size=(2, 9))
    kernel = np.exp(-cdist(x, x, "sqeuclidean") / 2)

    def mean(left, right):
        pairs = [(i, j) for i, j in product(np.repeat(range(9), left), np.repeat(range(9), right)) if i != j]
        return np.mean([kernel[pair] for pair in pairs])

    expected = mean(counts[0], counts[0]) + mean(counts[1], counts[1]) - 2 * mean(*counts)
    assert weighted_mmd(x, counts[0][:, None], counts[1][:, None], 1.0)[0] == pytest.approx(expected, abs=1e-6)


def test_the_permutation_p_is_uniform_on_equal_sets_and_smallest_on_far_ones():
    small = [mmd(*rng(seed).normal(size=(2, 15, 3)), rng(seed), permutations=39).p <= 0.2 for seed in range(200)]
    assert binom.ppf(1e-5, 200, 0.2) <= sum(small) <= binom.ppf(1 - 1e-5, 200, 0.2)
    a = rng(0).normal(size=(20, 3))
    assert mmd(a, a + 5, rng(1), permutations=39).p == 1 / 40


def naive_transport(a: np.ndarray, b: np.ndarray, temperature: float) -> float:
    cost = cdist(a, b, "sqeuclidean") / 2
    f, g = np.zeros(len(a)), np.zeros(len(b))
    for _ in range(600):
        f = -temperature * (logsumexp((g - cost) / temperature, axis=1) - np.log(len(b)))
        g = -temperature * (logsumexp((f[:, None] - cost) / temperature, axis=0) - np.log(len(a)))
    return f.mean() + g.mean()


def test_sinkhorn_is_the_converged_debiased_transport():
    a, b = rng(1).normal(size=(25, 3)), rng(2).normal(size=(20, 3)) * 0.7 + 0.5
    expected = naive_transport(a, b, 0.09) - (naive_transport(a, a, 0.09) + naive_transport(b, b, 0.09)) / 2
    assert sinkhorn_divergence(a, b, blur=0.3) == pytest.approx(expected, rel=0.03)


def test_sinkhorn_with_little_blur_is_half_the_squared_wasserstein_distance():
    a, b = rng(1).normal(size=(60, 4)), rng(2).normal(size=(60, 4)) + 1
    cost = cdist(a, b, "sqeuclidean") / 2
    assert sinkhorn_divergence(a, b, blur=0.02) == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=0.03)
    assert sinkhorn_divergence(a, a + 2.0) == pytest.approx(8.0, rel=1e-3)  # a shift costs |shift|^2 / 2
    assert abs(sinkhorn_divergence(a, a)) < 1e-5


def test_two_sample_test_finds_a_shift_and_nothing_on_equal_sets():
    a, b = rng(1).normal(size=(2, 100, 6))
    shifted = b + np.r_[2.0, np.zeros(5)]
    assert two_sample_accuracy(a, shifted, seed=0) == pytest.approx(0.84, abs=0.06)  # Phi(1), the best there is
    null = [two_sample_accuracy(*rng(seed).normal(size=(2, 60, 3)), seed=seed) for seed in range(20)]
    assert abs(np.mean(null) - 0.5) < 0.05


def test_matched_lengths_have_one_distribution_and_leave_out_no_match():
    real, synthetic = rng(1).integers(3, 60, 200), rng(2).integers(20, 120, 150)
    i, j = match_lengths(real, synthetic, rng(3))
    classes = [np.round(4 * np.log2(side + 1)) for side in (real, synthetic)]
    assert sorted(classes[0][i]) == sorted(classes[1][j])
    assert len(set(i)) == len(i) and len(set(j)) == len(j)
    assert len(i) == sum(min((classes[0] == c).sum(), (classes[1] == c).sum()) for c in set(classes[0]))
    with pytest.raises(DoppelError, match="like length"):
        match_lengths(np.array([3, 4]), np.array([90, 100]), rng())


SYMMETRIC = {
    "frechet": frechet_distance,
    "mmd": lambda a, b: mmd(a, b, rng(), permutations=5, bandwidth=1.3).value,
    "sinkhorn": lambda a, b: sinkhorn_divergence(a, b, blur=0.3),
}


@pytest.mark.parametrize("name", SYMMETRIC)
def test_distances_do_not_change_with_order_place_or_direction(name):
    distance = SYMMETRIC[name]
    a, b = rng(1).normal(size=(20, 4)), rng(2).normal(size=(25, 4)) + 0.5
    turn, _ = np.linalg.qr(rng(3).normal(size=(4, 4)))
    value = distance(a, b)
    for other in ((b, a), (a[::-1], rng(4).permutation(b)), (a @ turn, b @ turn), (a + 100, b + 100)):
        assert distance(*other) == pytest.approx(value, rel=2e-4, abs=1e-6)


METRICS = {
    "Frechet distance": frechet_distance,
    "at infinity": lambda a, b: frechet_infinity(a, b, rng()),
    "MMD": lambda a, b: mmd(a, b, rng()),
    "Sinkhorn": sinkhorn_divergence,
    "two-sample": lambda a, b: two_sample_accuracy(a, b, seed=0),
}


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("synthetic", "says"),
    [
        (np.ones((1, 3)), "1 records.*add records"),
        (np.ones((0, 3)), "0 records"),
        (np.full((20, 3), np.nan), "20 of 20 synthetic embeddings are not finite"),
        (np.ones((20, 4)), "one encoder"),
        (np.ones(20), "shape"),
    ],
)
def test_embeddings_that_cannot_be_compared_are_refused(name, synthetic, says):
    with pytest.raises(DoppelError, match=f"{name}.*{says}"):
        METRICS[name](rng().normal(size=(20, 3)), synthetic)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan])
def test_scales_that_are_no_length_are_refused(scale):
    a, b = rng().normal(size=(2, 20, 3))
    with pytest.raises(DoppelError, match=r"bandwidth = .* above 0"):
        mmd(a, b, rng(), bandwidth=scale)
    with pytest.raises(DoppelError, match=r"blur = .* above 0"):
        sinkhorn_divergence(a, b, blur=scale)


def test_equal_records_give_no_bandwidth_but_a_frechet_distance():
    same = np.ones((20, 3))
    for metric in (lambda: mmd(same, same, rng()), lambda: sinkhorn_divergence(same, same)):
        with pytest.raises(DoppelError, match="median distance is 0"):
            metric()
    assert frechet_distance(same, same + 1) == pytest.approx(3)
    assert mmd(same, same + 9, rng(), bandwidth=1.0).value == pytest.approx(2)


def test_blocks_of_distances_are_those_of_scipy_and_equal_records_are_at_zero(monkeypatch):
    monkeypatch.setattr("lib.evaluation.fidelity.pairwise.BLOCK_BYTES", 200)
    a, b = (rng(seed).normal(size=(13, 5)).astype(np.float32) for seed in (1, 2))
    b[4] = a[7]
    blocks = [(rows, block.copy()) for rows, block in squared_distances(a, b)]
    assert len(blocks) > 3
    table = np.concatenate([block for _, block in blocks])
    assert table == pytest.approx(cdist(a, b, "sqeuclidean"), abs=1e-4) and table[7, 4] == 0
    assert median_distance(a) == pytest.approx(np.median(pdist(a)), rel=1e-5)
