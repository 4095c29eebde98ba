"""MAUVE: how much of each set the other explains, from the frontier of divergences to their mixtures."""

import numpy as np
from sklearn.metrics import auc

from lib.evaluation.estimate import Estimate
from lib.evaluation.fidelity.clusters import joint_clusters, kl_divergence, total_variation
from lib.evaluation.fidelity.metric_input import EmbeddingPair

MIXTURES = 25  # points on the frontier
SCALE = 5.0  # c of the paper


def mauve(real: np.ndarray, synthetic: np.ndarray, *, seed: int, clusters: int | None = None) -> float:
    """MAUVE of two sets of embeddings, in (0, 1]; 1 is best (Pillutla et al. 2021).

    The settings are the reference's: `joint_clusters`, then `frontier_area`. It rises with n at equal distributions and
    moves with the seed of the clusters: compare at equal n, over several seeds.

    Args:
        real: (n, d).
        synthetic: (m, d).
        seed: of the clusters.
        clusters: their number; a tenth of the smaller set unless given.

    Raises:
        DoppelError: from `joint_clusters`.
    """
    return frontier_area(*joint_clusters(real, synthetic, seed=seed, clusters=clusters).histograms())


def frontier_area(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Area under the curve exp(-c KL(q || r)), exp(-c KL(p || r)) over mixtures r of two histograms p and q; in (0, 1].

    Args:
        real: (cells,), shares that sum to 1.
        synthetic: (cells,), shares that sum to 1.
    """
    weights = np.linspace(1e-6, 1 - 1e-6, MIXTURES)[:, None]
    mixtures = weights * real + (1 - weights) * synthetic
    x, y = (np.exp(-SCALE * _kl(side, mixtures)) for side in (synthetic, real))
    x, y = np.concatenate([[1.0], x, [0.0]]), np.concatenate([[0.0], y, [1.0]])
    by_x, by_y = np.argsort(x), np.argsort(y)
    return float(auc(x[by_x], y[by_x]) + auc(y[by_y], x[by_y])) / 2


def cluster_scores(pair: EmbeddingPair) -> dict[str, Estimate]:
    """The metrics over joint clusters of a ``pair``: ``mauve``, ``kl`` and ``tv``.

    The clusters stay those of all records; each draw takes other records into their histograms.
    """
    clusters = joint_clusters(pair.real, pair.synthetic, seed=pair.seed)

    def statistic(real_rows: np.ndarray, synthetic_rows: np.ndarray) -> dict[str, float]:
        p, q = clusters.histograms(real_rows, synthetic_rows)
        return {"mauve": frontier_area(p, q), "kl": kl_divergence(p, q), "tv": total_variation(p, q)}

    return pair.estimate(statistic)


def _kl(p: np.ndarray, mixtures: np.ndarray) -> np.ndarray:
    """KL(p || r) in nats for every row r of the mixtures, which are positive wherever p is."""
    positive = p > 0
    return (p[positive] * np.log(p[positive] / mixtures[:, positive])).sum(axis=1)
