"""Made-up pictures and rows that are put among private ones: what an arm's own RANDOM_API draws. *Evaluation only*."""

from collections.abc import Mapping, Sequence

import numpy as np

from lib.audit.canaries import Canary
from lib.audit.canary_set import CanarySet
from lib.common.errors import DoppelError
from lib.methods.private_evolution.modality import Modality

STREAM = 20  # of the draws: none that an evolution takes


def plant(modality: Modality, count: int, cells: Sequence[Mapping[str, str]], *, seed: int) -> CanarySet:
    """Canaries that come once, each with a coin of its own.

    Args:
        modality: what the arms evolve; its API draws the canaries, with its own seed.
        count: m, at least 1.
        cells: complete label sets; one is drawn uniformly for each canary.
        seed: of labels and coins.

    Returns:
        ``single``, m canaries with the ids ``canary-00000``, ...; no references, and none that is repeated.

    Raises:
        DoppelError: the API drew fewer, or two are equal, so that their coins could not be told apart.
    """
    rng = np.random.default_rng([seed, STREAM])
    labels = [dict(cells[number]) for number in rng.integers(len(cells), size=count)]
    items = modality.api.random(labels, STREAM).items
    records = [modality.record(f"canary-{place:05d}", item, labels[place]) for place, item in sorted(items.items())]
    distinct = len({record.content for record in records})
    if distinct < count:
        raise DoppelError(
            "methods.canaries_equal",
            f"only {distinct} of {count} made-up records are different, so their coins could not be told apart",
            name="made_up",
            value=distinct,
            remedy="set fewer",
        )
    coins = rng.random(count) < 0.5
    return CanarySet([Canary(r, bool(coin), "drawn", {}) for r, coin in zip(records, coins, strict=True)], [], [])
