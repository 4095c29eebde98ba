"""A metric's value with its draws, and the subsamples that the draws come from.

Intervals come from subsamples: two thirds of the records of each side, without replacement, many times. The spread of
a metric among them, times sqrt(2), is to first order its spread among fresh sets of n records (delete-d jackknife: Shao
& Wu 1989; bootstrap without replacement: Politis & Romano 1994). Drawing with replacement would repeat records: zero
distances to neighbours and fewer distinct words would move most metrics here. Subsamples are smaller than the full set
and move metrics a little too, so only their spread is used, not their mean: an interval is about the metric *at this
n*, as floor and ceiling are. At two thirds the count of coincidences (equal n-grams, close pairs) gets its right spread
as well.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import binomtest
from scipy.stats import t as student

from lib.common.errors import DoppelError

Statistic = Callable[[np.ndarray, np.ndarray], Mapping[str, float]]  # of rows of real and of synthetic records

MIN_RECORDS = 9  # of a side: subsamples of fewer records say nothing


@dataclass(frozen=True)
class Estimate:
    """A value and how it varies.

    Args:
        value: the metric on all records; finite.
        draws: (draws,), centred on the value and scaled to its spread at n records; finite.
        share_of: set where the value is the share of so many records, each of which has a property or has it not.

    Raises:
        DoppelError: the value or a draw is not finite.
    """

    value: float
    draws: np.ndarray
    share_of: int | None = field(default=None, kw_only=True)

    def __post_init__(self):
        if not np.isfinite(self.value) or not np.isfinite(self.draws).all():
            raise DoppelError(
                "evaluation.not_finite",
                f"the value of a metric is {self.value}, it and its draws must be finite",
                remedy="look for empty or equal records",
            )

    @classmethod
    def from_subsamples(cls, value: float, draws: np.ndarray, n: int) -> "Estimate":
        """An estimate from a metric's values on subsamples.

        Args:
            value: the metric on all ``n`` records.
            draws: (draws,), its values on subsamples of two thirds of them.
            n: records of the set.
        """
        scale = np.sqrt(_kept(n) / (n - _kept(n)))
        return cls(float(value), value + (np.asarray(draws, float) - np.mean(draws)) * scale)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval (low, high), see `t_interval`.

        Of a share it is the exact one (Clopper & Pearson 1934): where none of 300 records has the property, every draw
        is 0, yet up to 1.2% of all records may have it.
        """
        if self.share_of is None:
            return t_interval(self.value, self.draws)
        return tuple(binomtest(round(self.value * self.share_of), self.share_of).proportion_ci(0.95, "exact"))


@dataclass(frozen=True)
class Undefined:
    """A metric that has no value here; ``because`` says why, for readers."""

    because: str


BySet = dict[str, Estimate | Undefined]  # by arm; the ceiling is among them, as `lib.evaluation.comparison_sets.REAL`


def subsamples(real: int, synthetic: int, *, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of real and of synthetic records in each draw, sorted: two thirds of each side.

    The same seed and sizes give the same rows, so the arms of a comparison share their draws of the real records, and
    differences between arms are taken draw by draw.

    Args:
        real: real records, at least `MIN_RECORDS`.
        synthetic: synthetic records, at least `MIN_RECORDS`.
        draws: number of draws, at least 2.
        seed: of the draws.

    Raises:
        DoppelError: too few records or draws.
    """
    if min(real, synthetic) < MIN_RECORDS or draws < 2:
        raise DoppelError(
            "evaluation.too_few_for_interval",
            f"{real} real and {synthetic} synthetic records, {draws} draws; an interval needs {MIN_RECORDS} records of "
            "each side and 2 draws",
            name="draws" if draws < 2 else "records",
            value=draws if draws < 2 else min(real, synthetic),
            remedy="add records or draws",
        )
    streams = [np.random.default_rng([seed, side]) for side in range(2)]
    for _ in range(draws):
        yield tuple(np.sort(s.permutation(n)[: _kept(n)]) for s, n in zip(streams, (real, synthetic), strict=True))


def estimate(statistic: Statistic, real: int, synthetic: int, *, draws: int, seed: int) -> dict[str, Estimate]:
    """Every value of ``statistic``, on all records and on subsamples.

    Args:
        statistic: called with the rows of real and of synthetic records that it may look at; returns values by name.
            What does not depend on the rows (clusters, counts of words) is best computed before.
        real: real records.
        synthetic: synthetic records.
        draws: number of subsamples.
        seed: of the subsamples.

    Raises:
        DoppelError: from `subsamples`, or from the statistic.
    """
    drawn = [statistic(*rows) for rows in subsamples(real, synthetic, draws=draws, seed=seed)]
    values = statistic(np.arange(real), np.arange(synthetic))
    return {
        name: Estimate.from_subsamples(value, np.array([draw[name] for draw in drawn]), synthetic)
        for name, value in values.items()
    }


def matched_rows(sizes: Mapping[str, int], *, seed: int) -> dict[str, np.ndarray]:
    """Equally many rows of every set, sorted, drawn at random: as many as the smallest set has.

    Args:
        sizes: records by set.
        seed: of the draw.

    Raises:
        DoppelError: the smallest set has fewer than `MIN_RECORDS` records.
    """
    n = min(sizes.values())
    if n < MIN_RECORDS:
        raise too_few_records(min(sizes, key=sizes.__getitem__), n)
    rng = np.random.default_rng(seed)
    return {name: np.sort(rng.permutation(size)[:n]) for name, size in sizes.items()}


def too_few_records(name: str, size: int) -> DoppelError:
    """The refusal of the set ``name``, whose ``size`` records are fewer than `MIN_RECORDS`."""
    return DoppelError(
        "evaluation.too_few_records",
        f"{name!r} has {size} records, a comparison needs {MIN_RECORDS}",
        name=name,
        value=size,
        remedy="add records, or leave it out",
    )


def t_interval(value: float, draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """An interval (low, high) about a value: the spread of its draws times the quantile of a t distribution.

    Args:
        value: the centre.
        draws: (draws,), scaled as those of an `Estimate`.
        level: of the interval, in (0, 1).
    """
    reach = float(student.ppf((1 + level) / 2, len(draws) - 1) * draws.std(ddof=1))
    return value - reach, value + reach


def _kept(n: int) -> int:
    return round(n * 2 / 3)
