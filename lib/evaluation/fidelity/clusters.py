"""Histograms of two sets of embeddings over their joint clusters, and the distances of those histograms."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from lib.common.errors import DoppelError
from lib.evaluation.fidelity.pairwise import checked

Rows = np.ndarray | slice

EMPTY = 1e-8  # the probability of an empty cell in `kl_divergence`, as in Aug-PE's table


@dataclass(frozen=True)
class Clusters:
    """The cluster of each record, in [0, ``count``), shapes (n,) and (m,)."""

    real: np.ndarray
    synthetic: np.ndarray
    count: int

    def histograms(
        self, real_rows: Rows = slice(None), synthetic_rows: Rows = slice(None)
    ) -> tuple[np.ndarray, np.ndarray]:
        """Shares of real and of synthetic records in each cluster, each (count,), of some rows or of all."""
        sides = self.real[real_rows], self.synthetic[synthetic_rows]
        return tuple(np.bincount(side, minlength=self.count) / len(side) for side in sides)


def joint_clusters(real: np.ndarray, synthetic: np.ndarray, *, seed: int, clusters: int | None = None) -> Clusters:
    """k-means of (n, d) and (m, d) embeddings together, as MAUVE's reference does (Pillutla et al. 2021).

    Rows to length 1, joint PCA down to 90% of the variance, then Lloyd's iterations from records drawn at random until
    none moves, at most 500. ``clusters`` is a tenth of the smaller set unless given, at least 2. The reference keeps
    the best of five starts; that changes MAUVE by less than its noise over seeds (`benchmarks/fidelity.py` shows both).
    """
    real, synthetic = checked("clusters", real, synthetic, least=2)
    count = max(2, round(min(len(real), len(synthetic)) / 10)) if clusters is None else clusters
    labels = cluster(np.concatenate([real, synthetic]), count, seed=seed)
    return Clusters(labels[: len(real)], labels[len(real) :], count)


def cluster(vectors: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """The cluster of each of (n, d) embeddings, in [0, ``count``), shape (n,): see `joint_clusters`."""
    pooled = normalize(vectors.astype(np.float32))
    if count < 1:
        raise DoppelError(f"clusters = {count} must be at least 1; leave it out for a tenth of the records")
    if len({row.tobytes() for row in pooled}) < count:
        raise DoppelError(
            f"clusters: {len(pooled)} records have fewer than {count} different embeddings; remove duplicates, or set "
            "clusters lower"
        )
    pca = PCA(svd_solver="covariance_eigh").fit(pooled)
    kept = int(np.argmax(np.cumsum(pca.explained_variance_ratio_) >= 0.9)) + 1
    means = KMeans(count, init="random", n_init=1, max_iter=500, tol=0, random_state=seed)
    return means.fit_predict(pca.transform(pooled)[:, :kept])


def kl_divergence(real: np.ndarray, synthetic: np.ndarray) -> float:
    """KL(synthetic || real) of two histograms in nats; >= 0, 0 is best. Empty cells count as `EMPTY`, so it is finite.

    The floor decides how much a cell without real records costs: compare at equal n and equal clusters alone.
    """
    p, q = (np.where(side == 0, EMPTY, side) for side in (synthetic, real))
    return float((p * np.log(p / q) - p + q).sum())


def total_variation(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Half the L1 distance of two histograms, in [0, 1]; 0 is best."""
    return float(np.abs(real - synthetic).sum() / 2)
