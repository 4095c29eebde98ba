"""What a metric's entry holds. The entries themselves are in `lib.evaluation.registry`."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, NamedTuple

Direction = Literal["higher", "lower", "match"]  # which is better; "match": as close to the ceiling as possible
Family = Literal["embedding", "text", "transfer", "importance", "next_token", "people", "loss"]


class Word(NamedTuple):
    """A term of the report.

    Args:
        title: what readers call it.
        says: what it means, in a sentence or two.
    """

    title: str
    says: str


@dataclass(frozen=True)
class Entry:
    """A metric.

    Args:
        name: its key in rows, files and views; results of earlier runs are read by it.
        family: the metrics that are computed from the same input.
        direction: whether a higher value is better, a lower one, or the one closest to the ceiling's ("match").
        compute: the function that computes it, as ``module:function``, the module below ``lib.evaluation``. An
            embedding or a text metric is computed by the suite from this alone; metrics that share a function are
            computed in one call.
        title: what readers call it.
        meaning: what its value says, in a sentence or two.
        real_text: whether real text enters the value. Such a value is not private and never part of a release.
        headline: whether it stands on the first page and is measured in several views. This holds in the main task of
            its family: the same metric in a second encoder, or of a second type of classifier, is no headline.
        share: whether the value is a share of the synthetic records, each of which has a property or has it not; its
            interval is the exact binomial one.
    """

    name: str
    family: Family
    direction: Direction
    compute: str
    title: str
    meaning: str
    real_text: bool = True
    headline: bool = False
    share: bool = False

    @property
    def module(self) -> str:
        """The module of the function that computes the metric."""
        return f"lib.evaluation.{self.compute.partition(':')[0]}"

    def function(self) -> Callable:
        """The function that computes the metric; its module is imported now."""
        return getattr(import_module(self.module), self.compute.partition(":")[2])
