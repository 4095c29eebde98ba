"""Who was in, from released sums: the best linear estimate of the coins of canaries."""

import numpy as np


def coins_of(parts: np.ndarray, remaining: np.ndarray, spread: float) -> np.ndarray:
    """How likely each of m canaries was in.

    Let x be the coins (0 or 1), A what each canary adds if it is in, and s the standard deviation of the noise. What
    was released, less what all others added, is A x + noise. For fair coins the linear estimate of least mean squared
    error is x = 1/2 + (A'A + 4 s^2)^-1 A' (remaining - A 1/2).

    Args:
        parts: A, shape (entries, m).
        remaining: what was released, less the parts of all but the canaries; shape (entries,).
        spread: s, at least 0.

    Returns:
        The estimates, shape (m,); about 1 for a canary that is in and 0 for one that is out.
    """
    ridge = max(4 * spread**2, 1e-6) * np.eye(parts.shape[1])
    return 0.5 + np.linalg.solve(parts.T @ parts + ridge, parts.T @ (remaining - parts.sum(axis=1) / 2))
