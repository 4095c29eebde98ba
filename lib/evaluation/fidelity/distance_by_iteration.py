"""How near the selected texts come to the private records. *Evaluation only*: real text enters."""

from collections.abc import Sequence

import numpy as np

from lib.evaluation.estimate import estimate
from lib.evaluation.fidelity.frechet_mmd import frechet_distance

Interval = tuple[float, float, float]  # value, low, high


def approach(
    real: np.ndarray, sets: Sequence[np.ndarray], held_out: np.ndarray, *, seed: int, draws: int = 12
) -> tuple[list[Interval], Interval]:
    """Frechet distance of each set of embeddings (n, d) to real ones, with 95% intervals, and that of held-out records.

    Lower is nearer. The distance grows as n falls, so all sets are cut to the size of the smallest; a set of several
    times that size counts as the mean over its parts (the first alone gives the interval).
    """
    n = min(map(len, (*sets, held_out)))
    rng = np.random.default_rng(seed)

    def distance(vectors: np.ndarray) -> Interval:
        parts = np.split(rng.permutation(vectors)[: len(vectors) // n * n], len(vectors) // n)
        found = estimate(
            lambda a, b: {"frechet": frechet_distance(real[a], parts[0][b])}, len(real), n, draws=draws, seed=seed
        )["frechet"]
        mean = float(np.mean([found.value, *(frechet_distance(real, part) for part in parts[1:])]))
        low, high = found.interval
        return mean, low + mean - found.value, high + mean - found.value

    return [distance(vectors) for vectors in sets], distance(held_out)
