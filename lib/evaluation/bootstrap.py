"""Intervals by the bootstrap."""

import numpy as np

CELLS = 1_000_000  # records drawn at a time: bounds the memory to some 25 MB, however many records there are


def mean_loss(losses: np.ndarray, *, seed: int = 0, draws: int = 2000) -> tuple[float, float, float]:
    """Mean loss in nats a token with its 95% interval, see `ratio`.

    Args:
        losses: (records, 2): summed nats and tokens of each record.
        seed: of the draws.
        draws: resamples of the records, with replacement.

    Returns:
        Value, low and high, in nats a token.
    """
    return ratio(losses, seed=seed, draws=draws)


def ratio(sums: np.ndarray, *, seed: int = 0, draws: int = 2000) -> tuple[float, float, float]:
    """A ratio of two sums over records with its 95% interval, by the percentile bootstrap over records (Efron 1979).

    Args:
        sums: (records, 2): what each record adds above and below the line; more than 0 below.
        seed: of the draws.
        draws: resamples of the records, with replacement.

    Returns:
        Value, low and high.
    """
    rng, n = np.random.default_rng(seed), len(sums)
    at_once = max(1, CELLS // n)
    batches = [min(at_once, draws - start) for start in range(0, draws, at_once)]
    drawn = np.concatenate([sums[rng.integers(n, size=(batch, n))].sum(axis=1) for batch in batches])  # (draws, 2)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return float(sums[:, 0].sum() / sums[:, 1].sum()), float(low), float(high)
