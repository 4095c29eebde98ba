"""Views of a metric: the same question asked with another encoder, at another sample size, by another seed.

A difference between two arms is worth a word only where it shows in every view. Views are written by the notebooks
that measure, and read by the one that compares. *Evaluation only* where real text entered a metric.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lib.common.files import read_json, write_array, write_json
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.metric import Direction

Kind = Literal["encoder", "size", "seed"]
CEILING = "ceiling"  # the name under which a view keeps held-out real records; no arm may have it


@dataclass(frozen=True)
class View:
    """One metric of every arm, measured in one way; all estimates have the same draws, so they are paired.

    Attributes:
        task: what the metric belongs to, as in the rows of `lib.evaluation.metric.Metric`: ``embeddings`` say.
        kind: what this view varies. name: how: ``all-minilm-l6-v2``, ``150 records``, ``seed 2``.
        estimates: by arm, and `CEILING`.
    """

    task: str
    metric: str
    direction: Direction
    kind: Kind
    name: str
    estimates: Mapping[str, Estimate | Undefined]


def save(folder: Path, views: Sequence[View]) -> None:
    """Write ``views.json`` and ``draws.npy`` (float32; a row an estimate) into a stage's folder.

    Views of one folder may differ in their number of draws: shorter rows end in NaN, which the reader takes off.
    """
    lines, drawn = [], []
    for view in views:
        arms = {}
        for arm, one in view.estimates.items():
            if isinstance(one, Undefined):
                arms[arm] = {"because": one.because}
            else:
                arms[arm] = {"value": one.value, "row": len(drawn), "draws": len(one.draws)}
                drawn.append(one.draws)
        facts = {name: getattr(view, name) for name in ("task", "metric", "direction", "kind", "name")}
        lines.append(facts | {"estimates": arms})
    table = np.full((len(drawn), max(map(len, drawn), default=0)), np.nan, np.float32)
    for row, draws in enumerate(drawn):
        table[row, : len(draws)] = draws
    write_array(folder / "draws.npy", table)
    write_json(folder / "views.json", lines)


def load(folder: Path) -> list[View]:
    """The views that a stage wrote, in their order."""
    table = np.load(folder / "draws.npy", allow_pickle=False)
    views = []
    for line in read_json(folder / "views.json"):
        estimates = {
            arm: Undefined(one["because"])
            if "because" in one
            else Estimate(one["value"], table[one["row"], : one["draws"]].astype(float))
            for arm, one in line.pop("estimates").items()
        }
        views.append(View(**line, estimates=estimates))
    return views
