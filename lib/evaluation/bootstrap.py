"""Intervals by the bootstrap."""

import numpy as np

CELLS = 1_000_000  # records drawn at a time: bounds the memory to some 25 MB, however many records there are


def mean_loss(losses: np.ndarray, *, seed: int = 0, draws: int = 2000) -> tuple[float, float, float]:
    """Mean loss in nats a token with its 95% interval, by the percentile bootstrap over records (Efron 1979).

    Args:
        losses: (records, 2): summed nats and tokens of each record.
        seed: of the draws.
        draws: resamples of the records, with replacement.

    Returns:
        Value, low and high, in nats a token.
    """
    rng, n = np.random.default_rng(seed), len(losses)
    at_once = max(1, CELLS // n)
    batches = [min(at_once, draws - start) for start in range(0, draws, at_once)]
    sums = np.concatenate([losses[rng.integers(n, size=(batch, n))].sum(axis=1) for batch in batches])  # (draws, 2)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return float(losses[:, 0].sum() / losses[:, 1].sum()), float(low), float(high)
