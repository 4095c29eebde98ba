"""Histograms of two sets of embeddings over their joint clusters, and the distances of those histograms."""

from dataclasses import dataclass

import numpy as np
from scipy.special import kl_div
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from lib.common.errors import DoppelError
from lib.evaluation.fidelity.pairwise import checked

Rows = np.ndarray | slice

EMPTY = 1e-8  # the probability of an empty cell in `kl_divergence`, as in Aug-PE's table


@dataclass(frozen=True)
class Clusters:
    """The cluster of each record.

    Args:
        real: (n,), in [0, count).
        synthetic: (m,), in [0, count).
        count: number of clusters.
    """

    real: np.ndarray
    synthetic: np.ndarray
    count: int

    def histograms(
        self, real_rows: Rows = slice(None), synthetic_rows: Rows = slice(None)
    ) -> tuple[np.ndarray, np.ndarray]:
        """Shares of real and of synthetic records in each cluster, each (count,).

        Args:
            real_rows: the real records that count; all unless given.
            synthetic_rows: the synthetic records that count; all unless given.
        """
        sides = self.real[real_rows], self.synthetic[synthetic_rows]
        return tuple(np.bincount(side, minlength=self.count) / len(side) for side in sides)


def joint_clusters(real: np.ndarray, synthetic: np.ndarray, *, seed: int, clusters: int | None = None) -> Clusters:
    """k-means of both sets together, as MAUVE's reference does it (Pillutla et al. 2021).

    Rows are scaled to length 1, reduced by a joint PCA to 90% of the variance, then clustered by Lloyd's iterations
    from records drawn at random until no record moves, at most 500. The reference keeps the best of five starts; that
    changes MAUVE by less than its noise over seeds (`benchmarks/fidelity.py` shows both).

    Args:
        real: (n, d), at least 2 records.
        synthetic: (m, d), at least 2 records.
        seed: of the first centres.
        clusters: number of clusters; a tenth of the smaller set unless given, at least 2.

    Raises:
        DoppelError: the embeddings cannot be compared, or have fewer different rows than clusters.
    """
    real, synthetic = checked("clusters", real, synthetic, least=2)
    count = max(2, round(min(len(real), len(synthetic)) / 10)) if clusters is None else clusters
    labels = cluster(np.concatenate([real, synthetic]), count, seed=seed)
    return Clusters(labels[: len(real)], labels[len(real) :], count)


def cluster(vectors: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """The cluster of each embedding, in [0, ``count``), shape (n,): see `joint_clusters`.

    Args:
        vectors: (n, d).
        count: number of clusters, in [1, n].
        seed: of the first centres.

    Raises:
        DoppelError: fewer different rows than clusters.
    """
    pooled = normalize(vectors.astype(np.float32))
    if count < 1:
        raise DoppelError(
            "evaluation.no_clusters",
            f"clusters = {count} must be at least 1",
            name="clusters",
            value=count,
            remedy="leave it out for a tenth of the records",
        )
    if len({row.tobytes() for row in pooled}) < count:
        raise DoppelError(
            "evaluation.too_many_clusters",
            f"clusters: {len(pooled)} records have fewer than {count} different embeddings",
            name="clusters",
            value=count,
            remedy="remove duplicates, or set clusters lower",
        )
    pca = PCA(svd_solver="covariance_eigh").fit(pooled)
    kept = int(np.argmax(np.cumsum(pca.explained_variance_ratio_) >= 0.9)) + 1
    means = KMeans(count, init="random", n_init=1, max_iter=500, tol=0, random_state=seed)
    return means.fit_predict(pca.transform(pooled)[:, :kept])


def kl_divergence(real: np.ndarray, synthetic: np.ndarray) -> float:
    """KL(synthetic || real) of two histograms in nats; >= 0, 0 is best.

    Empty cells count as `EMPTY`, so it is finite. That floor decides how much a cell without real records costs:
    compare at equal n and equal clusters only.

    Args:
        real: (cells,), shares that sum to 1.
        synthetic: (cells,), shares that sum to 1.
    """
    p, q = (np.where(side == 0, EMPTY, side) for side in (synthetic, real))
    return float(kl_div(p, q).sum())


def total_variation(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Half the L1 distance of two histograms, in [0, 1]; 0 is best.

    Args:
        real: (cells,), shares that sum to 1.
        synthetic: (cells,), shares that sum to 1.
    """
    return float(np.abs(real - synthetic).sum() / 2)
