"""MAUVE: how much of each set the other explains, from the frontier of divergences to their mixtures."""

import numpy as np
from sklearn.metrics import auc

from lib.evaluation.fidelity.clusters import joint_clusters

MIXTURES = 25  # points on the frontier
SCALE = 5.0  # c of the paper


def mauve(real: np.ndarray, synthetic: np.ndarray, *, seed: int, clusters: int | None = None) -> float:
    """MAUVE of (n, d) and (m, d) embeddings, in (0, 1]; 1 is best (Pillutla et al. 2021).

    The settings are the reference's: `joint_clusters`, then `frontier_area`. It rises with n at equal distributions and
    moves with the seed of the clusters: compare at equal n, over several seeds.
    """
    return frontier_area(*joint_clusters(real, synthetic, seed=seed, clusters=clusters).histograms())


def frontier_area(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Area under the curve exp(-c KL(q || r)), exp(-c KL(p || r)) over mixtures r of two histograms p and q."""
    weights = np.linspace(1e-6, 1 - 1e-6, MIXTURES)[:, None]
    mixtures = weights * real + (1 - weights) * synthetic
    x, y = (np.exp(-SCALE * _kl(side, mixtures)) for side in (synthetic, real))
    x, y = np.concatenate([[1.0], x, [0.0]]), np.concatenate([[0.0], y, [1.0]])
    by_x, by_y = np.argsort(x), np.argsort(y)
    return float(auc(x[by_x], y[by_x]) + auc(y[by_y], x[by_y])) / 2


def _kl(p: np.ndarray, mixtures: np.ndarray) -> np.ndarray:
    """KL(p || r) in nats for every row r of the mixtures, which are positive wherever p is."""
    some = p > 0
    return (p[some] * np.log(p[some] / mixtures[:, some])).sum(axis=1)
