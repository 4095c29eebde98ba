"""From repeated trainings, and their outcomes on each test record, to an estimate with an interval.

Every training on a set uses a different two thirds of its records and a different seed, so the records, the order of
batches and the initial weights all differ. Each draw of an interval takes one training and two thirds of the test
records. The interval is therefore that of a *single* training at this size, over records, seeds and tests at once. It
is somewhat wide for the reported value, the mean over trainings, because a few trainings give a poor estimate of their
own spread. All arms of a comparison share the test records of each draw, so their differences can be taken draw by
draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation.estimate import Estimate, subsamples

LEAST_SEEDS = 3


def training_rows(rows: np.ndarray, *, seeds: int, seed: int) -> list[np.ndarray]:
    """Random two thirds of a set for each training, in random order.

    Args:
        rows: the set's rows in the pool, (n,).
        seeds: number of trainings, at least `LEAST_SEEDS`.
        seed: of the random choice; sets of the same size get the same positions.

    Returns:
        ``seeds`` arrays, each (`training_size` of n,).

    Raises:
        DoppelError: fewer than `LEAST_SEEDS` trainings.
    """
    if seeds < LEAST_SEEDS:
        raise DoppelError(
            "evaluation.too_few_trainings",
            f"seeds = {seeds}; an interval over trainings needs at least {LEAST_SEEDS}",
            name="seeds",
            value=seeds,
        )
    kept = training_size(len(rows))
    return [rows[np.random.default_rng([seed, number]).permutation(len(rows))[:kept]] for number in range(seeds)]


def training_size(n: int) -> int:
    """Number of records in each training on a set of ``n`` records: two thirds."""
    return round(n * 2 / 3)


@dataclass(frozen=True)
class Repeated(Estimate):
    """An estimate over several trainings.

    Attributes:
        each: estimates of single trainings, the first ones, with the same test records in each draw.
    """

    each: tuple[Estimate, ...] = ()


def over_trainings(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    outcomes: np.ndarray,
    *,
    draws: int,
    seed: int,
    separate: int = 0,
) -> Repeated:
    """The mean of one ``statistic`` over trainings, with its interval.

    Args:
        statistic: called with one training's outcome on all test records (tests, ...) and the rows of the test records
            to use.
        outcomes: as `each_over_trainings` takes them, and so are ``draws``, ``seed`` and ``separate``.
    """
    (found,) = each_over_trainings(statistic, [float], outcomes, draws=draws, seed=seed, separate=separate)
    return found


def each_over_trainings(
    summary: Callable[[np.ndarray, np.ndarray], Any],
    statistics: Sequence[Callable[[Any], float]],
    outcomes: np.ndarray,
    *,
    draws: int,
    seed: int,
    separate: int = 0,
) -> list[Repeated]:
    """The means of several statistics of one summary over trainings, each with its interval.

    Args:
        summary: called once a draw, with one training's outcome on all test records (tests, ...) and the rows of the
            test records to use.
        statistics: each is called with what ``summary`` returned.
        outcomes: the outcomes of all trainings, (trainings, tests, ...).
        draws: draws of the interval; rounded up to a multiple of the trainings.
        seed: of the draws.
        separate: how many trainings, the first ones, also get an estimate of their own. The interval of such an
            estimate covers the test records alone.
    """
    trainings, tests = outcomes.shape[:2]
    draws = -(-draws // trainings) * trainings
    samples = [rows for rows, _ in subsamples(tests, tests, draws=draws, seed=seed)]
    drawn = [summary(outcomes[number % trainings], rows) for number, rows in enumerate(samples)]
    whole = [summary(outcome, np.arange(tests)) for outcome in outcomes]
    single = [[summary(outcome, rows) for rows in samples] for outcome in outcomes[:separate]]
    found = []
    for statistic in statistics:
        values = [float(statistic(one)) for one in whole]
        each = tuple(
            Estimate.from_subsamples(value, np.array([statistic(one) for one in of_one]), tests)
            for value, of_one in zip(values, single, strict=False)
        )
        mean = Estimate.from_subsamples(float(np.mean(values)), np.array([statistic(one) for one in drawn]), tests)
        found.append(Repeated(mean.value, mean.draws, each))
    return found
