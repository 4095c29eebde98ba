"""A metric's value with its draws, and the subsamples that the draws come from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import binomtest
from scipy.stats import t as student

from lib.common.errors import DoppelError

Statistic = Callable[[np.ndarray, np.ndarray], Mapping[str, float]]  # of rows of real and of synthetic records


LEAST = 9  # records of a side: subsamples of fewer tell nothing


@dataclass(frozen=True)
class Estimate:
    """A value and how it moves, ``draws`` (draws,), centred on it and scaled to its spread at n records.

    ``share_of``: the value is the share of so many records, each of which has something by itself or has it not.
    """

    value: float
    draws: np.ndarray
    share_of: int | None = field(default=None, kw_only=True)

    def __post_init__(self):
        if not np.isfinite(self.value) or not np.isfinite(self.draws).all():
            raise DoppelError(f"a metric came out as {self.value}, it must be finite; look for empty or equal records")

    @classmethod
    def from_subsamples(cls, value: float, draws: np.ndarray, n: int) -> "Estimate":
        """``draws`` (draws,) are the metric's values on subsamples of ``n`` records."""
        scale = np.sqrt(_kept(n) / (n - _kept(n)))
        return cls(float(value), value + (np.asarray(draws, float) - np.mean(draws)) * scale)

    @property
    def interval(self) -> tuple[float, float]:
        """95%: the spread of the draws times the quantile of a t distribution, on either side of the value.

        Of a share it is the exact one (Clopper & Pearson 1934): where no record of 300 has it, every draw is 0, yet up
        to 1.2% of all records may have it.
        """
        if self.share_of is None:
            return _interval(self.value, self.draws)
        return tuple(binomtest(round(self.value * self.share_of), self.share_of).proportion_ci(0.95, "exact"))


@dataclass(frozen=True)
class Undefined:
    """Why a metric has no value here."""

    because: str


def subsamples(real: int, synthetic: int, *, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of real and of synthetic records in each draw, sorted.

    The same seed and sizes give the same rows, so the arms of a comparison share their draws of the real records, and
    differences between arms are taken draw by draw.
    """
    if min(real, synthetic) < LEAST or draws < 2:
        raise DoppelError(
            f"{real} real and {synthetic} synthetic records, {draws} draws; an interval needs {LEAST} records of each "
            "side and 2 draws; add records"
        )
    streams = [np.random.default_rng([seed, side]) for side in range(2)]
    for _ in range(draws):
        yield tuple(np.sort(s.permutation(n)[: _kept(n)]) for s, n in zip(streams, (real, synthetic), strict=True))


def estimate(statistic: Statistic, real: int, synthetic: int, *, draws: int, seed: int) -> dict[str, Estimate]:
    """Every value of ``statistic`` on all records, and on subsamples of ``real`` and ``synthetic`` records.

    The statistic is called with the rows it may look at; what does not depend on them (clusters, counts of words) is
    best computed before.
    """
    drawn = [statistic(*rows) for rows in subsamples(real, synthetic, draws=draws, seed=seed)]
    values = statistic(np.arange(real), np.arange(synthetic))
    return {
        name: Estimate.from_subsamples(value, np.array([one[name] for one in drawn]), synthetic)
        for name, value in values.items()
    }


def matched_rows(sizes: Mapping[str, int], *, seed: int) -> dict[str, np.ndarray]:
    """Equally many rows of every set, sorted, drawn at random: as many as the smallest has."""
    n = min(sizes.values())
    if n < LEAST:
        smallest = min(sizes, key=sizes.__getitem__)
        raise DoppelError(f"{smallest!r} has {n} records, a comparison needs {LEAST}; add records, or leave it out")
    rng = np.random.default_rng(seed)
    return {name: np.sort(rng.permutation(size)[:n]) for name, size in sizes.items()}


def _kept(n: int) -> int:
    return round(n * 2 / 3)


def _interval(value: float, draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    reach = float(student.ppf((1 + level) / 2, len(draws) - 1) * draws.std(ddof=1))
    return value - reach, value + reach


BySet = dict[str, Estimate | Undefined]  # by arm, and `REAL` for the ceiling
