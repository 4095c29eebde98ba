"""APIs that draw every item by itself: simulators, public sets, declared domains. They cost nothing and never fail."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic

import numpy as np

from lib.generation.engines.base import Usage
from lib.generation.generate import Draws
from lib.methods.private_evolution.modality import Progress, T


class Drawn(Generic[T]):
    """What such APIs share: a generator of its own for each item.

    Args:
        seed: of all draws.
    """

    def __init__(self, seed: int):
        self.seed, self.usage = seed, Usage()

    def _each(
        self, make: Callable[[int, np.random.Generator], T], count: int, stream: Sequence[int], progress: Progress
    ) -> Draws[T]:
        """``count`` items, each made from its position and a generator that follows from seed, stream and position."""
        items = {}
        for position in range(count):
            items[position] = make(position, np.random.default_rng([self.seed, *stream, position]))
            progress(1)
        return Draws(items, count, Counter(), 0)
