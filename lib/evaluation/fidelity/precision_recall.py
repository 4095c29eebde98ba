"""Precision, recall, density and coverage: which records lie near records of the other set, and which are missed."""

from dataclasses import dataclass

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation.fidelity.pairwise import centred, squared_distances


@dataclass(frozen=True)
class Manifold:
    """Shares of records; ``density`` can exceed 1, the others lie in [0, 1]; 1 is best in the ideal of many records."""

    precision: float  # of synthetic records, within the radius of a real one
    recall: float  # of real records, within the radius of a synthetic one
    density: float  # real radii that hold a synthetic record, over k
    coverage: float  # of real radii, holding a synthetic record


def manifold(real: np.ndarray, synthetic: np.ndarray, *, k: int = 3) -> Manifold:
    """k-nearest-neighbour scores of (n, d) and (m, d) embeddings.

    A record's radius is the distance to its k-th nearest neighbour in its own set. Precision and recall after
    Kynkaanniemi et al. 2019 (k = 3), density and coverage after Naeem et al. 2020. On equal distributions of equal
    size coverage comes near 1 - 2^-k. Three passes over blocks of distances; memory does not grow with n x m.
    """
    if k < 1:
        raise DoppelError(f"k = {k} neighbours, it must be at least 1; 3 is usual")
    real, synthetic = centred("precision and recall", real, synthetic, least=k + 1)
    real_radii, synthetic_radii = squared_radii(real, k), squared_radii(synthetic, k)
    holders = np.zeros(len(synthetic), np.int64)  # real radii that hold each synthetic record
    held, recalled = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for rows, block in squared_distances(real, synthetic):
        recalled[rows] = (block <= synthetic_radii).any(axis=1)
        inside = block <= real_radii[rows, None]
        held[rows] = inside.any(axis=1)
        holders += np.count_nonzero(inside, axis=0)
    return Manifold(float((holders > 0).mean()), float(recalled.mean()), float(holders.mean() / k), float(held.mean()))


def covered(real: np.ndarray, synthetic: np.ndarray, *, k: int = 3) -> np.ndarray:
    """Which real records hold a synthetic one in their radius, bool (n,): their mean is the coverage of `manifold`."""
    real, synthetic = centred("coverage", real, synthetic, least=1)
    if len(real) <= k:
        raise DoppelError(f"coverage: {len(real)} real records have no {k}-th neighbour; add records")
    radii, held = squared_radii(real, k), np.zeros(len(real), bool)
    for rows, block in squared_distances(real, synthetic):
        held[rows] = block.min(axis=1) <= radii[rows]
    return held


def squared_radii(vectors: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each record to its k-th nearest neighbour, itself left out, shape (n,)."""
    radii = np.empty(len(vectors), vectors.dtype)
    for rows, block in squared_distances(vectors, vectors):
        block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = np.inf
        block.partition(k - 1, axis=1)
        radii[rows] = block[:, k - 1]
    return radii
