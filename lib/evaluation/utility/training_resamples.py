"""From trainings and what they did on each test record to an estimate with an interval.

Every training of a set sees another two thirds of its records, with another seed: the first draw of the records, the
order of batches and the initial weights all differ. Each draw of an interval takes one training and two thirds of the
test records. So the interval is that of *one* training at this size, in records, seeds and tests at once, and somewhat
wide for the value, which is the mean over trainings: few trainings tell their own spread badly. Arms of one comparison
share the test records of each draw, so their differences are taken draw by draw.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation.estimate import Estimate, subsamples

LEAST_SEEDS = 3


def training_rows(rows: np.ndarray, *, seeds: int, seed: int) -> list[np.ndarray]:
    """Two thirds of ``rows`` for each of ``seeds`` trainings, in random order; the same places for sets of one size."""
    if seeds < LEAST_SEEDS:
        raise DoppelError(f"seeds = {seeds}; an interval over seeds needs at least {LEAST_SEEDS}")
    kept = training_size(len(rows))
    return [rows[np.random.default_rng([seed, number]).permutation(len(rows))[:kept]] for number in range(seeds)]


def training_size(n: int) -> int:
    """Records that each training sees, of ``n`` matched ones."""
    return round(n * 2 / 3)


@dataclass(frozen=True)
class Repeated(Estimate):
    """An estimate over trainings, and beside it that of some single trainings: ``each``, with the same test records."""

    each: tuple[Estimate, ...] = ()


def over_trainings(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    outcomes: np.ndarray,
    *,
    draws: int,
    seed: int,
    apart: int = 0,
) -> Repeated:
    """``statistic(outcome, rows)`` of trainings, their mean and its interval.

    Args:
        statistic: of one training's outcome on all test records (tests, ...), and the rows of those that count.
        outcomes: (trainings, tests, ...).
        draws: of the interval; rounded up to a multiple of the trainings.
        apart: so many trainings, the first ones, get an estimate of their own. Its interval is that of its test
            records alone.
    """
    trainings, tests = outcomes.shape[:2]
    draws = -(-draws // trainings) * trainings
    samples = [rows for rows, _ in subsamples(tests, tests, draws=draws, seed=seed)]
    drawn = [statistic(outcomes[number % trainings], rows) for number, rows in enumerate(samples)]
    values = [float(statistic(one, np.arange(tests))) for one in outcomes]
    each = tuple(
        Estimate.from_subsamples(value, np.array([statistic(one, rows) for rows in samples]), tests)
        for value, one in zip(values[:apart], outcomes, strict=False)
    )
    whole = Estimate.from_subsamples(float(np.mean(values)), np.array(drawn), tests)
    return Repeated(whole.value, whole.draws, each)
