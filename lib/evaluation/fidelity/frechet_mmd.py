"""Distances between two sets of embeddings: Fréchet, and maximum mean discrepancy.

All are symmetric in their two sets, except that the real set gives the kernel its bandwidth. It comes first.
"""

from dataclasses import dataclass

import numpy as np

from lib.evaluation.estimate import Estimate, subsamples
from lib.evaluation.fidelity.metric_input import EmbeddingPair
from lib.evaluation.fidelity.pairwise import centred, median_distance, positive, squared_distances

PARTS = 6  # `frechet_infinity` looks at n, n/2, .. n/PARTS records


def frechet_distance(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Squared Fréchet distance of the Gaussians fitted to two sets of embeddings; >= 0, 0 is best.

    |mu - mu'|^2 + tr S + tr S' - 2 tr (S S')^(1/2), covariances over n - 1 (Dowson & Landau 1982; FID: Heusel
    et al. 2017). It is in squared units of the embedding and biased upwards at small n: compare at equal n. With
    S = R^T R and S' = R'^T R' (QR of the centred data), the last trace is the sum of the singular values of R R'^T. So
    no matrix square root is needed, and it holds for n < d, where the covariances are singular.

    Args:
        real: (n, d), at least 2 records.
        synthetic: (m, d), at least 2 records.

    Raises:
        DoppelError: the embeddings cannot be compared.
    """
    return _frechet(*centred("Fréchet distance", real, synthetic, least=2, dtype=np.float64))


def frechet_infinity(real: np.ndarray, synthetic: np.ndarray, rng: np.random.Generator) -> float:
    """Fréchet distance extrapolated to infinitely many records (Chong & Forsyth 2020); 0 is best, noise can go below.

    At n/k records, k = 1 .. `PARTS`, it is the mean over k disjoint pairs of parts, so that every size uses all
    records; the value is the intercept of the least-squares line in 1/n. Where n/PARTS falls below d, or the rank of
    the data, the bias is no longer a line in 1/n: read the value beside that of real against real at the same n.

    Args:
        real: (n, d), at least 2 x `PARTS` records.
        synthetic: (m, d), at least 2 x `PARTS` records.
        rng: assigns the records to parts.

    Raises:
        DoppelError: the embeddings cannot be compared.
    """
    real, synthetic = centred("Fréchet distance at infinity", real, synthetic, least=2 * PARTS, dtype=np.float64)
    real, synthetic = rng.permutation(real), rng.permutation(synthetic)
    means = [
        np.mean([_frechet(a, b) for a, b in zip(np.array_split(real, k), np.array_split(synthetic, k), strict=True)])
        for k in range(1, PARTS + 1)
    ]
    return float(np.polyfit(range(1, PARTS + 1), means, 1)[1])  # k is n_total / n: a line in 1/n


def frechet(pair: EmbeddingPair) -> dict[str, Estimate]:
    """``frechet``: `frechet_distance` of a ``pair``."""
    return pair.estimate(
        lambda real_rows, rows: {"frechet": frechet_distance(pair.real[real_rows], pair.synthetic[rows])}
    )


def frechet_at_infinity(pair: EmbeddingPair) -> dict[str, Estimate]:
    """``frechet_infinity``: `frechet_infinity` of a ``pair``."""

    def statistic(real_rows: np.ndarray, rows: np.ndarray) -> dict[str, float]:
        rng = np.random.default_rng([pair.seed, len(real_rows)])
        return {"frechet_infinity": frechet_infinity(pair.real[real_rows], pair.synthetic[rows], rng)}

    return pair.estimate(statistic)


def _frechet(a: np.ndarray, b: np.ndarray) -> float:
    means = a.mean(axis=0), b.mean(axis=0)
    left, right = (_factor((side - mean) / np.sqrt(len(side) - 1)) for side, mean in zip((a, b), means, strict=True))
    cross = np.linalg.svdvals(left @ right.T).sum()
    value = ((means[0] - means[1]) ** 2).sum() + (left**2).sum() + (right**2).sum() - 2 * cross
    return max(float(value), 0.0)  # rounding can leave -1e-15


def _factor(rows: np.ndarray) -> np.ndarray:
    """A matrix R of at most d rows with R^T R = rows^T rows; the rows themselves where they are that few."""
    return rows if len(rows) <= rows.shape[1] else np.linalg.qr(rows, mode="r")


@dataclass(frozen=True)
class Mmd:
    """A maximum mean discrepancy and its permutation test.

    Args:
        value: unbiased squared MMD.
        p: share of permutations that reach the value; the observed one counts among them.
        bandwidth: of the kernel, in the embedding's unit.
    """

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
    """Unbiased squared maximum mean discrepancy of two sets of embeddings (Gretton et al. 2012).

    Kernel exp(-|x - y|^2 / 2 s^2). 0 is best, noise can go below. The p value is for "both sets come from one
    distribution": which records are called real is permuted, and every statistic comes from the same kernel values, in
    one pass of bounded memory.

    Args:
        real: (n, d), at least 2 records.
        synthetic: (m, d), at least 2 records.
        rng: of the permutations.
        permutations: their number; p lies in [1 / (permutations + 1), 1].
        bandwidth: s, above 0. Unless given, the median distance between real records, which the arms of a comparison
            share.

    Raises:
        DoppelError: the embeddings cannot be compared, or there is no bandwidth.
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


def mmd_of_subsamples(pair: EmbeddingPair) -> dict[str, Estimate]:
    """``mmd``: `weighted_mmd` of a ``pair``, every subsample from the same kernel values, in one pass."""
    real, synthetic = centred("MMD", pair.real, pair.synthetic, least=2)
    weights = [np.zeros((len(real) + len(synthetic), pair.draws + 1), np.float32) for _ in range(2)]
    weights[0][: len(real), 0] = weights[1][len(real) :, 0] = 1
    rows = subsamples(len(real), len(synthetic), draws=pair.draws, seed=pair.seed)
    for column, (real_rows, synthetic_rows) in enumerate(rows, 1):
        weights[0][real_rows, column] = weights[1][len(real) + synthetic_rows, column] = 1
    value, *drawn = weighted_mmd(np.concatenate([real, synthetic]), *weights, median_distance(real))
    return {"mmd": Estimate.from_subsamples(value, np.array(drawn), len(synthetic))}


def weighted_mmd(vectors: np.ndarray, first: np.ndarray, second: np.ndarray, bandwidth: float) -> np.ndarray:
    """Unbiased squared MMD between two weighted halves of the records, for every column of the weights, (columns,).

    Pairs of a record with itself are left out everywhere, so a record that was drawn twice does not look like two close
    records.

    Args:
        vectors: (N, d), embeddings of all records.
        first: (N, columns), how often each record counts in the first half: 0 or 1 in a permutation or a subsample.
        second: (N, columns), how often each record counts in the second half.
        bandwidth: of the kernel, above 0.
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
