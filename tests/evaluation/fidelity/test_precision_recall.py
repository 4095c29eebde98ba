"""Scores by nearest neighbours: loops, known sets, expected values, bad input."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from support.errors import refused
from support.fidelity_toys import embeddings

from lib.evaluation.fidelity.precision_recall import covered, manifold


def naive_manifold(real: np.ndarray, synthetic: np.ndarray, k: int) -> dict[str, float]:
    def radius(side: np.ndarray, i: int) -> float:
        return sorted(np.linalg.norm(side[i] - other) for j, other in enumerate(side) if j != i)[k - 1]

    across = cdist(real, synthetic)
    reach = np.array([radius(real, i) for i in range(len(real))])
    back = np.array([radius(synthetic, j) for j in range(len(synthetic))])
    held = [[across[i, j] <= reach[i] for i in range(len(real))] for j in range(len(synthetic))]
    return {
        "precision": np.mean([any(holders) for holders in held]),
        "recall": np.mean([any(across[i, j] <= back[j] for j in range(len(synthetic))) for i in range(len(real))]),
        "density": np.sum(held) / k / len(synthetic),
        "coverage": np.mean(np.any(held, axis=0)),
    }


@pytest.mark.parametrize("k", [1, 3])
def test_neighbour_scores_are_those_of_loops(k, monkeypatch):
    monkeypatch.setattr("lib.evaluation.fidelity.pairwise.BLOCK_BYTES", 1000)  # several blocks
    real, synthetic = embeddings(37, 4, seed=1) + 9, embeddings(29, 4, seed=2) * 0.8 + 9.3
    assert vars(manifold(real, synthetic, k=k)) == pytest.approx(naive_manifold(real, synthetic, k))


def test_neighbour_scores_of_known_sets():
    real = embeddings(40, 3, seed=1)
    assert vars(manifold(real, real)) == {"precision": 1, "recall": 1, "density": pytest.approx(4 / 3), "coverage": 1}
    assert vars(manifold(real, real + 100)) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}
    collapsed = manifold(real, np.tile(real[:1], (40, 1)))
    assert collapsed.precision == 1 and collapsed.recall == 1 / 40 and collapsed.coverage < 0.3
    same = np.ones((8, 3))
    assert manifold(same, same).coverage == 1 and manifold(same, same + 1).coverage == 0


def test_coverage_of_equal_distributions_has_its_expected_value():
    mean = np.mean([manifold(*embeddings(2, 300, 2, seed=seed)).coverage for seed in range(5)])
    assert abs(mean - (1 - 2**-3)) < 0.02


def test_records_that_are_covered_are_those_that_coverage_counts():
    real = np.concatenate([embeddings(30, 2, seed=1), embeddings(30, 2, seed=2) + 20])
    synthetic = np.concatenate([embeddings(30, 2, seed=3), embeddings(30, 2, seed=4) - 20])
    marked = covered(real, synthetic)
    assert marked.mean() == manifold(real, synthetic).coverage and 0 < marked.mean() < 1
    assert covered(real, real[:1]).sum() >= 1  # one synthetic record is enough
    with refused("evaluation.too_few_neighbours", name="real", value=3):
        covered(real[:3], synthetic)


def test_fewer_records_than_neighbours_are_refused():
    for n in (0, 1, 3):
        with refused("evaluation.too_few_embeddings", name="synthetic", value=n):
            manifold(embeddings(10, 3), np.ones((n, 3)))
    with refused("evaluation.too_few_embeddings", name="real", value=3):
        manifold(embeddings(3, 2), embeddings(9, 2))
    with refused("evaluation.no_neighbours", name="k", value=0):
        manifold(*embeddings(2, 9, 2), k=0)
