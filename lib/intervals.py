"""Intervals by the bootstrap."""

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
