"""Sinkhorn divergence: the cost of moving one set of embeddings onto the other, with a little blur."""

import math

import numpy as np

from lib.evaluation.estimate import Estimate
from lib.evaluation.fidelity.metric_input import EmbeddingPair
from lib.evaluation.fidelity.pairwise import centred, median_distance, positive, squared_distances

BLUR = 0.05  # of the median distance between real records; 0.05 of the embedding's own unit in Aug-PE's table
SCALING = 0.5  # from one blur to the next finer one
ROWS = 256  # of a cost matrix at a time


def sinkhorn_divergence(real: np.ndarray, synthetic: np.ndarray, *, blur: float | None = None) -> float:
    """Debiased Sinkhorn divergence of two sets of embeddings, cost |x - y|^2 / 2; >= 0, 0 is best.

    OT(x, y) - OT(x, x)/2 - OT(y, y)/2 at temperature blur^2 (Feydy et al. 2019): half the squared 2-Wasserstein
    distance as the blur goes to 0. Potentials are annealed from the diameter down to the blur, one averaged step a
    temperature, in the logarithmic domain, as the GeomLoss of Aug-PE's table does. Memory: 8 n m bytes.

    Args:
        real: (n, d), at least 2 records.
        synthetic: (m, d), at least 2 records.
        blur: in the embedding's unit, above 0. Unless given, `BLUR` times the median distance between real records, so
            that it means the same in every encoder.

    Raises:
        DoppelError: the embeddings cannot be compared, or there is no blur.
    """
    real, synthetic = centred("Sinkhorn divergence", real, synthetic, least=2)
    blur = BLUR * median_distance(real) if blur is None else positive("blur", blur)
    middle = (real.mean(axis=0) + synthetic.mean(axis=0)) / 2
    diameter = max(blur, *(2 * float(np.linalg.norm(side - middle, axis=1).max()) for side in (real, synthetic)))
    steps = max(1, math.ceil(math.log(blur / diameter, SCALING)))
    temperatures = [diameter**2, *((diameter * SCALING**k) ** 2 for k in range(steps)), blur**2]
    across = _cost(real, synthetic)
    value = sum(potential.mean() for potential in _potentials(across, np.ascontiguousarray(across.T), temperatures))
    del across
    return float(value - sum(_own_potential(_cost(side, side), temperatures).mean() for side in (real, synthetic)))


def sinkhorn(pair: EmbeddingPair) -> dict[str, Estimate]:
    """``sinkhorn``: `sinkhorn_divergence` of a ``pair``, with the blur of all its records in every draw."""
    real, _ = centred("Sinkhorn divergence", pair.real, pair.synthetic, least=2)
    blur = BLUR * median_distance(real)
    return pair.estimate(
        lambda real_rows, rows: {"sinkhorn": sinkhorn_divergence(pair.real[real_rows], pair.synthetic[rows], blur=blur)}
    )


def _cost(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    cost = np.empty((len(a), len(b)), np.float32)
    for rows, block in squared_distances(a, b):
        np.multiply(block, 0.5, out=cost[rows])
    return cost


def _potentials(cost: np.ndarray, transposed: np.ndarray, temperatures: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Dual potentials (n,) and (m,) of the transport between two sets."""
    n, m = cost.shape
    f, g = _softmin(cost, np.zeros(m), temperatures[0]), _softmin(transposed, np.zeros(n), temperatures[0])
    for temperature in temperatures:
        f, g = (f + _softmin(cost, g, temperature)) / 2, (g + _softmin(transposed, f, temperature)) / 2
    return _softmin(cost, g, temperatures[-1]), _softmin(transposed, f, temperatures[-1])


def _own_potential(cost: np.ndarray, temperatures: list[float]) -> np.ndarray:
    """The potential (n,) of the transport of a set onto itself; the problem is symmetric, so there is only one."""
    f = _softmin(cost, np.zeros(len(cost)), temperatures[0])
    for temperature in temperatures:
        f = (f + _softmin(cost, f, temperature)) / 2
    return _softmin(cost, f, temperatures[-1])


def _softmin(cost: np.ndarray, potential: np.ndarray, temperature: float) -> np.ndarray:
    """-t log mean_j exp((potential_j - cost_ij) / t), shape (n,): the soft form of min_j (cost_ij - potential_j)."""
    out = np.empty(len(cost))
    scaled = (potential / temperature).astype(np.float32)
    for start in range(0, len(cost), ROWS):
        block = cost[start : start + ROWS] * np.float32(-1 / temperature)
        block += scaled
        top = block.max(axis=1)
        block -= top[:, None]
        out[start : start + ROWS] = top + np.log(np.exp(block, out=block).mean(axis=1, dtype=np.float64))
    return -temperature * out
