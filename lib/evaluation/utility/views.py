"""Views of utility's headline metrics: by single trainings, by size of the sets, by encoder. See `lib.evaluation.views`."""

from collections.abc import Collection, Mapping

from lib.evaluation.comparison_sets import REAL
from lib.evaluation.estimate import BySet, Undefined
from lib.evaluation.metric import Direction
from lib.evaluation.utility.training_resamples import Repeated
from lib.evaluation.views import CEILING, Kind, View


def varied(
    task: str,
    found: Mapping[str, BySet],
    directions: Mapping[str, Direction],
    metrics: Collection[str],
    *,
    kind: Kind,
    name: str,
) -> list[View]:
    """A view of each of ``metrics`` in ``found``; ``kind`` and ``name`` say what was varied, and how."""
    return [View(task, metric, directions[metric], kind, name, _ended(found[metric])) for metric in metrics]


def seeds(
    task: str, found: Mapping[str, BySet], directions: Mapping[str, Direction], metrics: Collection[str]
) -> list[View]:
    """A view of each of ``metrics`` for each single training that `lib.evaluation.utility.training_resamples.over_trainings` set apart."""
    made = []
    for metric in metrics:
        by = found[metric]
        count = max((len(one.each) for one in by.values() if isinstance(one, Repeated)), default=0)
        for number in range(count):
            single = {name: one if isinstance(one, Undefined) else one.each[number] for name, one in by.items()}
            made.append(View(task, metric, directions[metric], "seed", f"training {number + 1}", _ended(single)))
    return made


def _ended(by: BySet) -> BySet:
    """With the ceiling under the name that views have for it, last."""
    return {name: one for name, one in by.items() if name != REAL} | {CEILING: by[REAL]}
