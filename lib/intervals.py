"""Intervals by the bootstrap."""

from collections.abc import Sequence

import numpy as np


def mean_loss(losses: np.ndarray, *, seed: int = 0, draws: int = 2000) -> tuple[float, float, float]:
    """Loss in nats a token with its 95% interval: (value, low, high).

    ``losses`` has shape (records, 2): summed nats and tokens of each record. Records are redrawn with
    replacement (percentile bootstrap, Efron 1979).
    """
    redrawn = np.random.default_rng(seed).integers(len(losses), size=(draws, len(losses)))
    sums = losses[redrawn].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return float(losses[:, 0].sum() / losses[:, 1].sum()), float(low), float(high)


def mean_difference(first: np.ndarray, second: np.ndarray, *, seed: int = 0, draws: int = 2000) -> Sequence[float]:
    """`mean_loss` of ``first`` minus that of ``second`` on the same records (paired redraws): (value, low, high)."""
    redrawn = np.random.default_rng(seed).integers(len(first), size=(draws, len(first)))
    a, b = first[redrawn].sum(axis=1), second[redrawn].sum(axis=1)
    low, high = np.quantile(a[:, 0] / a[:, 1] - b[:, 0] / b[:, 1], [0.025, 0.975])
    value = first[:, 0].sum() / first[:, 1].sum() - second[:, 0].sum() / second[:, 1].sum()
    return float(value), float(low), float(high)
