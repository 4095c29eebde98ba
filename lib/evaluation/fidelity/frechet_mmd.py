"""Distances between two sets of embeddings: Frechet, and maximum mean discrepancy.

All are symmetric in their two sets but for the bandwidth of the kernel; by convention the first is real.
"""

from dataclasses import dataclass

import numpy as np

from lib.evaluation.fidelity.pairwise import centred, median_distance, positive, squared_distances

PARTS = 6  # `frechet_infinity` looks at n, n/2, .. n/PARTS records


def frechet_distance(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Squared Frechet distance of the Gaussians fitted to (n, d) and (m, d) embeddings; >= 0, 0 is best.

    |mu - mu'|^2 + tr S + tr S' - 2 tr (S S')^(1/2), covariances over n - 1 (Dowson & Landau 1982; FID: Heusel
    et al. 2017). It is in squared units of the embedding and biased upwards at small n: compare at equal n. With
    S = R^T R and S' = R'^T R' (QR of the centred data), the last trace is the sum of the singular values of R R'^T: no
    matrix square root, and sound for n < d, where the covariances are singular.
    """
    return _frechet(*centred("Frechet distance", real, synthetic, least=2, dtype=np.float64))


def frechet_infinity(real: np.ndarray, synthetic: np.ndarray, rng: np.random.Generator) -> float:
    """Frechet distance extrapolated to infinitely many records (Chong & Forsyth 2020); 0 is best, noise can go below.

    At n/k records, k = 1 .. PARTS, it is the mean over k disjoint pairs of parts, so that every size uses all records;
    the value is the intercept of the least-squares line in 1/n. Where n/PARTS falls below d, or the rank of the data,
    the bias is no longer a line in 1/n: read the value beside that of real against real at the same n.
    """
    real, synthetic = centred("Frechet distance at infinity", real, synthetic, least=2 * PARTS, dtype=np.float64)
    real, synthetic = rng.permutation(real), rng.permutation(synthetic)
    means = [
        np.mean([_frechet(a, b) for a, b in zip(np.array_split(real, k), np.array_split(synthetic, k), strict=True)])
        for k in range(1, PARTS + 1)
    ]
    return float(np.polyfit(range(1, PARTS + 1), means, 1)[1])  # k is n_total / n: a line in 1/n


def _frechet(a: np.ndarray, b: np.ndarray) -> float:
    means = a.mean(axis=0), b.mean(axis=0)
    left, right = (_factor((side - mean) / np.sqrt(len(side) - 1)) for side, mean in zip((a, b), means, strict=True))
    cross = np.linalg.svdvals(left @ right.T).sum()
    value = ((means[0] - means[1]) ** 2).sum() + (left**2).sum() + (right**2).sum() - 2 * cross
    return max(float(value), 0.0)  # rounding can leave -1e-15


def _factor(rows: np.ndarray) -> np.ndarray:
    """Some R with R^T R = rows^T rows and at most d rows: few rows are one themselves."""
    return rows if len(rows) <= rows.shape[1] else np.linalg.qr(rows, mode="r")


@dataclass(frozen=True)
class Mmd:
    """``value`` is the unbiased squared MMD, ``p`` the share of permutations that reach it, the observed counted."""

    value: float
    p: float
    bandwidth: float


def mmd(
    real: np.ndarray,
    synthetic: np.ndarray,
    rng: np.random.Generator,
    *,
    permutations: int = 200,
    bandwidth: float | None = None,
) -> Mmd:
    """Unbiased squared maximum mean discrepancy of (n, d) and (m, d) embeddings (Gretton et al. 2012).

    Kernel exp(-|x - y|^2 / 2 s^2); ``bandwidth`` s is the median distance between real records unless given (the arms
    of a comparison share theirs: the real records are the same). 0 is best, noise can go below. The p value is for
    'both sets come from one distribution': which records are called real is permuted, every statistic from the same
    kernel values, in one pass of bounded memory; it lies in [1 / (permutations + 1), 1].
    """
    real, synthetic = centred("MMD", real, synthetic, least=2)
    bandwidth = median_distance(real) if bandwidth is None else positive("bandwidth", bandwidth)
    total = len(real) + len(synthetic)
    chosen = np.zeros((total, permutations + 1), np.float32)
    chosen[: len(real), 0] = 1
    for column in range(1, permutations + 1):
        chosen[rng.permutation(total)[: len(real)], column] = 1
    values = weighted_mmd(np.concatenate([real, synthetic]), chosen, 1 - chosen, bandwidth)
    return Mmd(float(values[0]), float((values >= values[0]).mean()), bandwidth)


def weighted_mmd(vectors: np.ndarray, first: np.ndarray, second: np.ndarray, bandwidth: float) -> np.ndarray:
    """Unbiased squared MMD between weighted halves of ``vectors`` (N, d), for every column of the weights, (columns,).

    ``first`` and ``second`` (N, columns) hold how often each record counts in each half: 0 or 1 in a permutation, any
    count in a bootstrap. Pairs of a record with itself are left out everywhere, so a record that was drawn twice does
    not look like two close records.
    """
    weights = np.concatenate([first, second], axis=1).astype(np.float32)
    columns = first.shape[1]
    inner = np.zeros((3, columns))  # first-first, second-second, first-second
    for rows, block in squared_distances(vectors, vectors):
        block *= -1 / (2 * bandwidth**2)
        sums = np.exp(block, out=block) @ weights
        for k, (left, right) in enumerate(((0, 0), (1, 1), (0, 1))):
            chosen = weights[rows, left * columns : (left + 1) * columns]
            inner[k] += np.einsum(
                "ij,ij->j", chosen, sums[:, right * columns : (right + 1) * columns], dtype=np.float64
            )
    totals = [side.sum(axis=0, dtype=np.float64) for side in (first, second)]
    own = [np.einsum("ij,ij->j", a, b, dtype=np.float64) for a, b in ((first,) * 2, (second,) * 2, (first, second))]
    pairs = totals[0] ** 2, totals[1] ** 2, totals[0] * totals[1]
    within, other, across = ((inner[k] - own[k]) / (pairs[k] - own[k]) for k in range(3))
    return within + other - 2 * across
