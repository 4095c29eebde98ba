"""Distances in blocks, and what every embedding metric has in common: invariances and refusals."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from support.errors import refused
from support.fidelity_toys import embeddings

from lib.evaluation.fidelity.frechet_mmd import frechet_distance, frechet_infinity, mmd
from lib.evaluation.fidelity.pairwise import median_distance, squared_distances
from lib.evaluation.fidelity.sinkhorn import sinkhorn_divergence
from lib.evaluation.fidelity.two_sample_test import two_sample_accuracy


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


SYMMETRIC = {
    "frechet": frechet_distance,
    "mmd": lambda a, b: mmd(a, b, rng(), permutations=5, bandwidth=1.3).value,
    "sinkhorn": lambda a, b: sinkhorn_divergence(a, b, blur=0.3),
}


@pytest.mark.parametrize("name", SYMMETRIC)
def test_distances_do_not_change_with_order_place_or_direction(name):
    distance = SYMMETRIC[name]
    a, b = embeddings(20, 4, seed=1), embeddings(25, 4, seed=2) + 0.5
    turn, _ = np.linalg.qr(embeddings(4, 4, seed=3))
    value = distance(a, b)
    for other in ((b, a), (a[::-1], rng(4).permutation(b)), (a @ turn, b @ turn), (a + 100, b + 100)):
        assert distance(*other) == pytest.approx(value, rel=2e-4, abs=1e-6)


METRICS = {
    "Fréchet distance": frechet_distance,
    "Fréchet distance at infinity": lambda a, b: frechet_infinity(a, b, rng()),
    "MMD": lambda a, b: mmd(a, b, rng()),
    "Sinkhorn divergence": sinkhorn_divergence,
    "two-sample test": lambda a, b: two_sample_accuracy(a, b, seed=0),
}


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("synthetic", "code", "value"),
    [
        (np.ones((1, 3)), "evaluation.too_few_embeddings", 1),
        (np.ones((0, 3)), "evaluation.too_few_embeddings", 0),
        (np.full((20, 3), np.nan), "evaluation.embeddings_not_finite", 20),
        (np.ones((20, 4)), "evaluation.widths_differ", (3, 4)),
        (np.ones(20), "evaluation.no_embeddings", (20,)),
    ],
)
def test_embeddings_that_cannot_be_compared_are_refused_by_every_metric(name, synthetic, code, value):
    with refused(code, name="synthetic", value=value) as refusal:
        METRICS[name](embeddings(20, 3), synthetic)
    assert refusal.value.sentence.startswith(f"{name}: ")


def test_blocks_of_distances_are_those_of_scipy_and_equal_records_are_at_zero(monkeypatch):
    monkeypatch.setattr("lib.evaluation.fidelity.pairwise.BLOCK_BYTES", 200)
    a, b = (embeddings(13, 5, seed=seed).astype(np.float32) for seed in (1, 2))
    b[4] = a[7]
    blocks = [(rows, block.copy()) for rows, block in squared_distances(a, b)]
    assert len(blocks) > 3
    table = np.concatenate([block for _, block in blocks])
    assert table == pytest.approx(cdist(a, b, "sqeuclidean"), abs=1e-4) and table[7, 4] == 0
    assert median_distance(a) == pytest.approx(np.median(pdist(a)), rel=1e-5)
