"""Views of a metric: the same question asked with another encoder, at another sample size, with another seed.

A difference between two arms is reported only where it shows in every view. The notebooks that measure write views,
and the one that compares reads them. *Evaluation only* where real text entered a metric.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lib.common.files import read_json, write_array, write_json
from lib.evaluation.entry import Direction
from lib.evaluation.estimate import Estimate, Undefined

Kind = Literal["encoder", "size", "seed"]
CEILING = "ceiling"  # the name of held-out real records among a view's arms; no arm may have it


@dataclass(frozen=True)
class View:
    """One metric of every arm, measured in one way; all estimates have the same draws, so they are paired.

    Args:
        task: what the metric belongs to, as in the rows of `lib.evaluation.metric.Metric`, such as ``embeddings``.
        metric: its name.
        direction: which is better.
        kind: what this view varies.
        name: the variant: ``all-minilm-l6-v2``, ``150 records``, ``seed 2``.
        estimates: by arm, and `CEILING`.
    """

    task: str
    metric: str
    direction: Direction
    kind: Kind
    name: str
    estimates: Mapping[str, Estimate | Undefined]


def save(folder: Path, views: Sequence[View]) -> None:
    """Write ``views.json`` and ``draws.npy`` (float32, a row for each estimate).

    Views of one folder may differ in their number of draws: shorter rows end in NaN, which the reader removes.

    Args:
        folder: of the stage.
        views: in the order in which `load` returns them.
    """
    lines, drawn = [], []
    for view in views:
        arms = {}
        for arm, estimate in view.estimates.items():
            if isinstance(estimate, Undefined):
                arms[arm] = {"because": estimate.because}
            else:
                arms[arm] = {"value": estimate.value, "row": len(drawn), "draws": len(estimate.draws)}
                drawn.append(estimate.draws)
        facts = {name: getattr(view, name) for name in ("task", "metric", "direction", "kind", "name")}
        lines.append(facts | {"estimates": arms})
    table = np.full((len(drawn), max(map(len, drawn), default=0)), np.nan, np.float32)
    for row, draws in enumerate(drawn):
        table[row, : len(draws)] = draws
    write_array(folder / "draws.npy", table)
    write_json(folder / "views.json", lines)


def load(folder: Path) -> list[View]:
    """The views that a stage wrote into its ``folder``, in their order."""
    table = np.load(folder / "draws.npy", allow_pickle=False)
    views = []
    for line in read_json(folder / "views.json"):
        estimates = {
            arm: Undefined(stored["because"])
            if "because" in stored
            else Estimate(stored["value"], table[stored["row"], : stored["draws"]].astype(float))
            for arm, stored in line.pop("estimates").items()
        }
        views.append(View(**line, estimates=estimates))
    return views
