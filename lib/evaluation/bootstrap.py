"""Intervals by the bootstrap."""

import numpy as np

CELLS = 1_000_000  # records that are redrawn at a time: bounds the memory to some 25 MB, however many records


def mean_loss(losses: np.ndarray, *, seed: int = 0, draws: int = 2000) -> tuple[float, float, float]:
    """Loss in nats a token with its 95% interval: (value, low, high).

    ``losses`` has shape (records, 2): summed nats and tokens of each record. Records are redrawn with
    replacement (percentile bootstrap, Efron 1979).
    """
    rng, n = np.random.default_rng(seed), len(losses)
    at_once = max(1, CELLS // n)
    parts = [min(at_once, draws - start) for start in range(0, draws, at_once)]
    sums = np.concatenate([losses[rng.integers(n, size=(part, n))].sum(axis=1) for part in parts])  # (draws, 2)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return float(losses[:, 0].sum() / losses[:, 1].sum()), float(low), float(high)
