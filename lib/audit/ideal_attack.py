"""The best attack on canaries of a mechanism: its thresholds, and what it would show.

What a (subsampled) Gaussian mechanism releases about a canary that has coordinates of its own is, release by release,
N(0, sigma^2) if the canary is out, and (1 - q) N(0, sigma^2) + q N(1, sigma^2) if it is in, in units of what one unit
can change. An exponential mechanism draws one of two tokens, whose scores a canary pushes apart. By Neyman and
Pearson's lemma no test tells in from out better than the likelihood ratio. Releases are independent, so their log
likelihood ratios add up (`lib.privacy.mechanism.Auditable.ideal_scores`).

The ideal attack reads exactly such numbers. Its bound is the *ceiling* beside the bound of a real run: it follows from
the mechanism's figures and the number of canaries alone.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lib.audit.trade_off import best_bound
from lib.privacy.mechanism import Auditable

FALSE_POSITIVE_RATES = (0.05, 0.01)  # of the thresholds above 0
SIMULATED = 200_000  # scores of either side from which thresholds and rates are taken


@dataclass(frozen=True)
class Plan:
    """What is fixed before any canary is scored.

    Attributes:
        mechanism: as claimed.
        thresholds: scores above one say in; rising. One is 0, above which in is likelier than out: without sampling
            it parts the two even where the noise is left out. Of the others the ideal attack has the false positive
            rates in `FALSE_POSITIVE_RATES`.
        outside: shares of ideal scores of canaries that are out, between the thresholds, shape (K + 1,), rising scores.
        inside: the same of canaries that are in.
    """

    mechanism: Auditable
    thresholds: tuple[float, ...]
    outside: np.ndarray
    inside: np.ndarray

    def ceiling(self, canaries: int, *, delta: float, beta: float) -> float:
        """The bound of an ideal attack on this mechanism with half of the canaries in, at its expected counts.

        That is about the median over many such attacks: half of them count more wrong canaries, half fewer.

        Args:
            canaries: m, at least 2.
            delta: at which epsilon is stated, in (0, 1).
            beta: the highest chance that a bound is wrong, in (0, 1).
        """
        half = canaries // 2
        counts = [
            (threshold, round(half * self.outside[k:].sum()), round(half * self.inside[:k].sum()))
            for k, threshold in enumerate(self.thresholds, 1)
        ]
        return best_bound(counts, half, half, mechanism=self.mechanism, delta=delta, beta=beta).epsilon


@lru_cache(maxsize=64)
def plan(mechanism: Auditable) -> Plan:
    """Thresholds for a mechanism, from simulated scores: they follow from its figures alone.

    Args:
        mechanism: as claimed, with noise.
    """
    rng = np.random.default_rng(0)
    outside, inside = (np.sort(mechanism.ideal_scores(np.full(SIMULATED, side), rng)) for side in (False, True))
    quantiles = [float(outside[math.ceil(SIMULATED * (1 - rate)) - 1]) for rate in FALSE_POSITIVE_RATES]
    thresholds = tuple(sorted([0.0, *quantiles]))
    shares = [
        np.diff(np.searchsorted(side, thresholds, side="right"), prepend=0, append=SIMULATED) / SIMULATED
        for side in (outside, inside)
    ]
    return Plan(mechanism, thresholds, *shares)
