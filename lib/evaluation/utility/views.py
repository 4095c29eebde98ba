"""Views of utility's headline metrics, by training, by size of the sets and by encoder; see `lib.evaluation.views`."""

from collections.abc import Collection, Mapping

from lib.evaluation import registry
from lib.evaluation.comparison_sets import REAL
from lib.evaluation.estimate import BySet, Undefined
from lib.evaluation.utility.training_resamples import Repeated
from lib.evaluation.views import CEILING, Kind, View


def varied(task: str, measured: Mapping[str, BySet], metrics: Collection[str], *, kind: Kind, name: str) -> list[View]:
    """One view of each metric, from estimates that were made in a varied setting.

    Args:
        task: the task of the rows: ``sentiment by TF-IDF``.
        measured: estimates by metric and set.
        metrics: the metrics to make views of.
        kind: which setting was varied.
        name: its value: ``150 records``.
    """
    return [_view(task, metric, measured[metric], kind, name) for metric in metrics]


def seeds(task: str, measured: Mapping[str, BySet], metrics: Collection[str]) -> list[View]:
    """One view of each metric for every single training that has an estimate of its own.

    Args:
        task: the task of the rows: ``sentiment by TF-IDF``.
        measured: estimates by metric and set, `Repeated` ones.
        metrics: the metrics to make views of.
    """
    made = []
    for metric in metrics:
        by_set = measured[metric]
        count = max((len(estimate.each) for estimate in by_set.values() if isinstance(estimate, Repeated)), default=0)
        for number in range(count):
            single = {
                name: estimate if isinstance(estimate, Undefined) else estimate.each[number]
                for name, estimate in by_set.items()
            }
            made.append(_view(task, metric, single, "seed", f"training {number + 1}"))
    return made


def _view(task: str, metric: str, by_set: BySet, kind: Kind, name: str) -> View:
    """A view that has the estimate of `REAL` last, under the name that views have for it."""
    estimates = {name: estimate for name, estimate in by_set.items() if name != REAL} | {CEILING: by_set[REAL]}
    return View(task, metric, registry.entry(metric).direction, kind, name, estimates)
