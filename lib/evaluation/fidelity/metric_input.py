"""What a fidelity metric is computed from: the records of both sides, and how its interval is drawn.

A metric's function takes an `EmbeddingPair` or a `TextPair` and returns an estimate by metric name. What does not
depend on the rows of a draw is computed once, before::

    def exclamations(pair: TextPair) -> dict[str, Estimate]:
        excited = np.array([text.rstrip().endswith("!") for text in pair.synthetic], float)
        return pair.estimate(lambda real_rows, synthetic_rows: {"exclamations": excited[synthetic_rows].mean()})

Its entry in `lib.evaluation.registry` names the function, and the suite computes it. Where the metric has no value on
these records, the function raises DoppelError, and the metric is `Undefined` with the error's text as its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.evaluation.estimate import Estimate, Statistic, estimate


@dataclass(frozen=True)
class Pair:
    """Both sides of a comparison.

    Args:
        real: the held-out real records, n of them. Private.
        synthetic: the records of an arm, or those of the ceiling, m of them.
        draws: number of subsamples that the interval comes from.
        seed: of the subsamples, and of whatever else the metric draws.
    """

    real: Sequence
    synthetic: Sequence
    draws: int
    seed: int

    def estimate(self, statistic: Statistic) -> dict[str, Estimate]:
        """`lib.evaluation.estimate.estimate` of ``statistic``, with the draws and the seed of this comparison."""
        return estimate(statistic, len(self.real), len(self.synthetic), draws=self.draws, seed=self.seed)


@dataclass(frozen=True)
class EmbeddingPair(Pair):
    """Embeddings of both sides, by one encoder.

    Args:
        real: (n, d), as all arguments of a `Pair`.
        synthetic: (m, d).
        draws: see `Pair`.
        seed: see `Pair`.
        lengths: words of each real and of each synthetic record, (n,) and (m,); None where they are not matched.
    """

    real: np.ndarray
    synthetic: np.ndarray
    lengths: tuple[np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True)
class TextPair(Pair):
    """Plain texts of both sides, with the arguments of a `Pair`."""

    real: Sequence[str]
    synthetic: Sequence[str]
