"""Neighbours, clusters and MAUVE: brute force, scipy, the reference package where it is installed, bad input."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import rel_entr

from lib.common.errors import DoppelError
from lib.evaluation.fidelity.clusters import Clusters, joint_clusters, kl_divergence, total_variation
from lib.evaluation.fidelity.mauve import frontier_area, mauve
from lib.evaluation.fidelity.precision_recall import manifold


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def naive_manifold(real, synthetic, k):
    def radius(side, i):
        return sorted(np.linalg.norm(side[i] - other) for j, other in enumerate(side) if j != i)[k - 1]

    across = cdist(real, synthetic)
    reach = np.array([radius(real, i) for i in range(len(real))])
    back = np.array([radius(synthetic, j) for j in range(len(synthetic))])
    held = [[across[i, j] <= reach[i] for i in range(len(real))] for j in range(len(synthetic))]
    return {
        "precision": np.mean([any(one) for one in held]),
        "recall": np.mean([any(across[i, j] <= back[j] for j in range(len(synthetic))) for i in range(len(real))]),
        "density": np.sum(held) / k / len(synthetic),
        "coverage": np.mean(np.any(held, axis=0)),
    }


@pytest.mark.parametrize("k", [1, 3])
def test_neighbour_scores_are_those_of_loops(k, monkeypatch):
    monkeypatch.setattr("lib.evaluation.fidelity.pairwise.BLOCK_BYTES", 1000)  # several blocks
    real, synthetic = rng(1).normal(size=(37, 4)) + 9, rng(2).normal(size=(29, 4)) * 0.8 + 9.3
    assert vars(manifold(real, synthetic, k=k)) == pytest.approx(naive_manifold(real, synthetic, k))


def test_neighbour_scores_of_known_sets():
    real = rng(1).normal(size=(40, 3))
    assert vars(manifold(real, real)) == {"precision": 1, "recall": 1, "density": pytest.approx(4 / 3), "coverage": 1}
    assert vars(manifold(real, real + 100)) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}
    collapsed = manifold(real, np.tile(real[:1], (40, 1)))
    assert collapsed.precision == 1 and collapsed.recall == 1 / 40 and collapsed.coverage < 0.3
    same = np.ones((8, 3))
    assert manifold(same, same).coverage == 1 and manifold(same, same + 1).coverage == 0


def test_coverage_of_equal_distributions_has_its_expected_value():
    found = np.mean([manifold(*rng(seed).normal(size=(2, 300, 2))).coverage for seed in range(5)])
    assert abs(found - (1 - 2**-3)) < 0.02


def test_divergences_are_those_of_scipy():
    p, q = rng(1).dirichlet(np.ones(9), size=2)
    assert kl_divergence(p, q) == pytest.approx(rel_entr(q, p).sum())
    assert total_variation(p, q) == pytest.approx(np.maximum(p - q, 0).sum())
    assert 0 < kl_divergence(np.array([1.0, 0]), np.array([0.5, 0.5])) < np.inf


def test_clusters_separate_what_lies_apart_and_their_histograms_take_rows():
    direction = rng(1).integers(2, size=120)
    points = np.eye(6)[direction] * rng(2).uniform(1, 9, size=(120, 1)) + 0.01 * rng(3).normal(size=(120, 6))
    found = joint_clusters(points[:60], points[60:], seed=3, clusters=2)  # by direction, not by length
    labels = np.concatenate([found.real, found.synthetic])
    assert found.count == 2 and ((labels == direction).all() or (labels == 1 - direction).all())
    toy = Clusters(np.array([0, 0, 1, 2]), np.array([2, 2]), 4)
    p, q = toy.histograms(np.array([0, 2]), np.array([1]))
    assert p.tolist() == [0.5, 0.5, 0, 0] and q.tolist() == [0, 0, 1, 0]


def naive_frontier(p, q):
    points = [(1.0, 0.0)]
    for w in np.linspace(1e-6, 1 - 1e-6, 25):
        r = [w * x + (1 - w) * y for x, y in zip(p, q, strict=True)]
        kl = [sum(x * np.log(x / z) for x, z in zip(side, r, strict=True) if x > 0) for side in (q, p)]
        points.append((np.exp(-5 * kl[0]), np.exp(-5 * kl[1])))
    points.append((0.0, 1.0))
    areas = []
    for one, other in ((0, 1), (1, 0)):
        line = sorted(points, key=lambda point: point[one])
        pairs = pairwise(line)
        areas.append(sum((b[one] - a[one]) * (a[other] + b[other]) / 2 for a, b in pairs))
    return np.mean(areas)


def test_area_under_the_frontier_is_that_of_loops():
    p, q = rng(2).dirichlet(np.ones(7), size=2)
    p[2], q[3] = 0, 0
    p, q = p / p.sum(), q / q.sum()
    assert frontier_area(p, q) == pytest.approx(naive_frontier(p, q), rel=1e-9)
    assert frontier_area(p, p) == pytest.approx(1, abs=1e-5)
    assert frontier_area(np.array([1.0, 0]), np.array([0, 1.0])) < 0.01
    assert frontier_area(p, q) == pytest.approx(frontier_area(q, p))


def test_mauve_falls_as_sets_part_and_repeats_with_its_seed():
    a, b = rng(1).normal(size=(2, 200, 8)) + 2
    values = [mauve(a, b + shift * np.r_[1, np.zeros(7)], seed=1) for shift in (0, 1.5, 6)]
    assert values[0] > 0.9 > values[1] > values[2]
    assert values[0] == mauve(a, b, seed=1)


def test_mauve_is_the_references_within_its_noise_over_seeds():
    reference = pytest.importorskip("mauve")
    a, b = rng(1).normal(size=(400, 8)) + 1, rng(2).normal(size=(400, 8)) + 1.15
    ours = np.array([mauve(a, b, seed=seed) for seed in range(8)])
    theirs = np.array([reference.compute_mauve(a, b, seed=seed).mauve for seed in range(8)])
    noise = np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / 8)
    assert abs(ours.mean() - theirs.mean()) < 4 * noise and noise < 0.02
    result = reference.compute_mauve(a, b, seed=0)
    assert frontier_area(result.p_hist, result.q_hist) == pytest.approx(result.mauve, rel=1e-6)


@pytest.mark.parametrize(
    ("metric", "least"), [(manifold, "precision and recall"), (lambda a, b: mauve(a, b, seed=0), "clusters")]
)
def test_too_few_records_are_refused(metric, least):
    for n in (0, 1):
        with pytest.raises(DoppelError, match=f"{least}.*{n} records.*add records"):
            metric(rng().normal(size=(10, 3)), np.ones((n, 3)))


def test_fewer_records_than_neighbours_or_clusters_are_refused():
    with pytest.raises(DoppelError, match="3 records, it needs at least 4"):
        manifold(rng().normal(size=(3, 2)), rng().normal(size=(9, 2)))
    with pytest.raises(DoppelError, match="fewer than 2 different"):
        mauve(np.ones((20, 3)), np.ones((20, 3)), seed=0)
    with pytest.raises(DoppelError, match="k = 0"):
        manifold(*rng().normal(size=(2, 9, 2)), k=0)
    with pytest.raises(DoppelError, match="clusters = 0"):
        joint_clusters(*rng().normal(size=(2, 9, 2)), seed=0, clusters=0)
