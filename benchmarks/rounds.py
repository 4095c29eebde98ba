"""How benchmarks compare sides: in turn, round by round, so that a slow minute of the machine meets all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def in_turn(sides: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each side in each round.

    Args:
        sides: what is timed, by name; called once a round, in this order.
        rounds: at least 1.
    """
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, run in sides.items():
            start = time.perf_counter()
            run()
            seconds[side].append(time.perf_counter() - start)
    return seconds


def ratio(a: Sequence[float], b: Sequence[float]) -> float:
    """Median of the rounds' ratios, ``a`` over ``b``."""
    return statistics.median(x / y for x, y in zip(a, b, strict=True))
