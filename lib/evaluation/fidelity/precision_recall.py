"""Precision, recall, density and coverage: which records lie near records of the other set, and which are missed."""

from dataclasses import dataclass

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation.estimate import Estimate
from lib.evaluation.fidelity.metric_input import EmbeddingPair
from lib.evaluation.fidelity.pairwise import centred, squared_distances


@dataclass(frozen=True)
class Manifold:
    """Shares of records, in [0, 1] except the density, which can exceed 1; with many records 1 is best.

    Args:
        precision: share of synthetic records within the radius of a real one.
        recall: share of real records within the radius of a synthetic one.
        density: real radii that contain a synthetic record, on average, over k.
        coverage: share of real radii that contain a synthetic record.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: np.ndarray, synthetic: np.ndarray, *, k: int = 3) -> Manifold:
    """Scores of two sets of embeddings by nearest neighbours.

    A record's radius is the distance to its k-th nearest neighbour in its own set. Precision and recall after
    Kynkäänniemi et al. 2019 (k = 3), density and coverage after Naeem et al. 2020. On equal distributions of equal
    size coverage comes near 1 - 2^-k. Three passes over blocks of distances; memory does not grow with n x m.

    Args:
        real: (n, d), more than k records.
        synthetic: (m, d), more than k records.
        k: neighbours, at least 1.

    Raises:
        DoppelError: the embeddings cannot be compared, or k is below 1.
    """
    if k < 1:
        raise DoppelError(
            "evaluation.no_neighbours",
            f"k = {k} neighbours, it must be at least 1",
            name="k",
            value=k,
            remedy="3 is usual",
        )
    real, synthetic = centred("precision and recall", real, synthetic, least=k + 1)
    real_radii, synthetic_radii = squared_radii(real, k), squared_radii(synthetic, k)
    holders = np.zeros(len(synthetic), np.int64)  # real radii that contain each synthetic record
    holding, recalled = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for rows, block in squared_distances(real, synthetic):
        recalled[rows] = (block <= synthetic_radii).any(axis=1)
        inside = block <= real_radii[rows, None]
        holding[rows] = inside.any(axis=1)
        holders += np.count_nonzero(inside, axis=0)
    return Manifold(
        float((holders > 0).mean()), float(recalled.mean()), float(holders.mean() / k), float(holding.mean())
    )


def covered(real: np.ndarray, synthetic: np.ndarray, *, k: int = 3) -> np.ndarray:
    """Which real records have a synthetic one within their radius, bool (n,); the mean is `manifold`'s coverage.

    Args:
        real: (n, d), more than k records.
        synthetic: (m, d), at least 1 record.
        k: neighbours, at least 1.

    Raises:
        DoppelError: the embeddings cannot be compared, or there are too few real records.
    """
    real, synthetic = centred("coverage", real, synthetic, least=1)
    if len(real) <= k:
        raise DoppelError(
            "evaluation.too_few_neighbours",
            f"coverage: {len(real)} real records have no {k}-th neighbour",
            name="real",
            value=len(real),
            remedy="add records",
        )
    radii, holding = squared_radii(real, k), np.zeros(len(real), bool)
    for rows, block in squared_distances(real, synthetic):
        holding[rows] = block.min(axis=1) <= radii[rows]
    return holding


def neighbour_scores(pair: EmbeddingPair) -> dict[str, Estimate]:
    """``precision``, ``recall``, ``density`` and ``coverage``: the `manifold` of a ``pair``."""
    return pair.estimate(lambda real_rows, rows: vars(manifold(pair.real[real_rows], pair.synthetic[rows])))


def squared_radii(vectors: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each record to its k-th nearest neighbour, shape (n,); a record is not its own neighbour.

    Args:
        vectors: (n, d), more than k records.
        k: which neighbour, at least 1.
    """
    radii = np.empty(len(vectors), vectors.dtype)
    for rows, block in squared_distances(vectors, vectors):
        block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = np.inf
        block.partition(k - 1, axis=1)
        radii[rows] = block[:, k - 1]
    return radii
