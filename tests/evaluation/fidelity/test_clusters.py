"""Joint clusters and the divergences of their histograms: scipy, known sets, bad input."""

import numpy as np
import pytest
from scipy.special import rel_entr
from support.errors import refused
from support.fidelity_toys import embeddings

from lib.evaluation.fidelity.clusters import Clusters, joint_clusters, kl_divergence, total_variation


def test_divergences_are_those_of_scipy():
    p, q = np.random.default_rng(1).dirichlet(np.ones(9), size=2)
    assert kl_divergence(p, q) == pytest.approx(rel_entr(q, p).sum())
    assert total_variation(p, q) == pytest.approx(np.maximum(p - q, 0).sum())
    assert 0 < kl_divergence(np.array([1.0, 0]), np.array([0.5, 0.5])) < np.inf


def test_clusters_separate_what_lies_apart_and_their_histograms_take_rows():
    direction = np.random.default_rng(1).integers(2, size=120)
    lengths = np.random.default_rng(2).uniform(1, 9, size=(120, 1))
    points = np.eye(6)[direction] * lengths + 0.01 * embeddings(120, 6, seed=3)
    found = joint_clusters(points[:60], points[60:], seed=3, clusters=2)  # by direction, not by length
    labels = np.concatenate([found.real, found.synthetic])
    assert found.count == 2 and ((labels == direction).all() or (labels == 1 - direction).all())
    toy = Clusters(np.array([0, 0, 1, 2]), np.array([2, 2]), 4)
    p, q = toy.histograms(np.array([0, 2]), np.array([1]))
    assert p.tolist() == [0.5, 0.5, 0, 0] and q.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_records_are_refused(n):
    with refused("evaluation.too_few_embeddings", name="synthetic", value=n):
        joint_clusters(embeddings(10, 3), np.ones((n, 3)), seed=0)


def test_fewer_different_records_than_clusters_are_refused():
    with refused("evaluation.too_many_clusters", name="clusters", value=2):
        joint_clusters(np.ones((20, 3)), np.ones((20, 3)), seed=0)
    with refused("evaluation.no_clusters", name="clusters", value=0):
        joint_clusters(*embeddings(2, 9, 2), seed=0, clusters=0)
