"""What each part of the pipeline adds to diversity: the same people written about without it, as many records each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation.estimate import MIN_RECORDS, Estimate, subsamples
from lib.evaluation.fidelity.diversity import vendi_score
from lib.private_records.pipeline import Recipe
from lib.private_records.writing import RecordSet

FULL = "full"


class Diversity(NamedTuple):
    """Vendi scores of variants.

    Attributes:
        records: of each set, the same people in all.
        vendi: by variant, in [1, records].
        gain: of the full recipe over each other variant, from the same subsamples; above 0 where the part adds to
            diversity.
    """

    records: int
    vendi: dict[str, Estimate]
    gain: dict[str, Estimate]


def variants(recipe: Recipe) -> dict[str, Recipe]:
    """The recipe and those without one part of it: the ablation of Privasis (arXiv 2602.03183), at an equal budget.

    Args:
        recipe: the full one.
    """
    return {
        FULL: recipe,
        "no diversity term": replace(recipe, acceptance=replace(recipe.acceptance, diversity=False)),
        "no revision": replace(recipe, revisions=0),
        "no type and format": replace(recipe, type_and_format=False),
    }


def compare(sets: Mapping[str, RecordSet], *, draws: int = 100, seed: int = 0) -> Diversity:
    """Vendi scores with intervals, over the people that all sets have a record of.

    Args:
        sets: by variant; `FULL` is among them.
        draws: subsamples of two thirds of the records (`lib.evaluation.estimate`), at least 2.
        seed: of the draws.

    Raises:
        DoppelError: ``private_records.too_few_to_compare``.
    """
    ids = [one.id for one in sets[FULL].records]
    for written in sets.values():
        there = {one.id for one in written.records}
        ids = [id for id in ids if id in there]
    if len(ids) < MIN_RECORDS:
        raise DoppelError(
            "private_records.too_few_to_compare",
            f"{len(ids)} people have a record in every set, an interval needs {MIN_RECORDS}",
            name="ablation",
            value=len(ids),
            remedy="compare more records, or set ablation to 0",
        )
    rows = {name: _rows(written, ids) for name, written in sets.items()}
    drawn = [some for _, some in subsamples(len(ids), len(ids), draws=draws, seed=seed)]
    scores = {name: np.array([vendi_score(of[some]) for some in drawn]) for name, of in rows.items()}
    values = {name: vendi_score(of) for name, of in rows.items()}
    return Diversity(
        len(ids),
        {name: Estimate.from_subsamples(values[name], scores[name], len(ids)) for name in sets},
        {
            name: Estimate.from_subsamples(values[FULL] - values[name], scores[FULL] - scores[name], len(ids))
            for name in sets
            if name != FULL
        },
    )


def _rows(written: RecordSet, ids: list[str]) -> np.ndarray:
    places = {one.id: place for place, one in enumerate(written.records)}
    return written.embeddings[[places[id] for id in ids]]
