"""Every set measured against the same held-out records, and the views of the metrics that stand on the first page."""

from collections.abc import Callable, Collection, Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from lib.common.errors import DoppelError
from lib.data.tokenize import words
from lib.evaluation.comparison_sets import REFERENCE, Sides
from lib.evaluation.fidelity import suite
from lib.evaluation.fidelity.frechet_mmd import mmd
from lib.evaluation.fidelity.suite import Estimates
from lib.evaluation.views import Kind, View

Found = dict[str, Estimates]  # by arm, and `lib.evaluation.views.CEILING`
Progress = Callable[[], object]
EMBEDDINGS, TEXTS = "embeddings", "texts"  # tasks of the rows
FEW = 1000  # records of a set, below which a second thread of linear algebra waits more than it works
HEADLINE = {EMBEDDINGS: ("frechet", "mauve"), TEXTS: ("word_jsd",)}  # the metrics of the first page, by task


def embeddings(
    sides: Sides,
    vectors: Mapping[str, np.ndarray],
    rows: Mapping[str, np.ndarray],
    *,
    seed: int,
    draws: int,
    metrics: Collection[str] = tuple(suite.EMBEDDING),
    progress: Progress = lambda: None,
) -> Found:
    """`lib.evaluation.fidelity.suite.embedding_estimates` of every arm and of the ceiling; all share the draws of the reference.

    Args:
        vectors: of all records of every set. rows: those that are compared, see `Sides.rows`.
        progress: called after each set.
    """
    lengths = {
        name: np.array([len(words(text)) for text in sides.texts(name, rows[name])], int)
        for name in (REFERENCE, *sides.measured)
    }
    found = {}
    for name in sides.measured:
        with threadpool_limits(1 if sides.n < FEW else None):
            found[name] = suite.embedding_estimates(
                vectors[REFERENCE][rows[REFERENCE]],
                vectors[name][rows[name]],
                seed=seed,
                draws=draws,
                lengths=(lengths[REFERENCE], lengths[name]),
                metrics=metrics,
            )
        progress()
    return found


def same_distribution(
    sides: Sides, vectors: Mapping[str, np.ndarray], rows: Mapping[str, np.ndarray], *, permutations: int, seed: int
) -> dict[str, dict[str, float | str]]:
    """For every arm and the ceiling the ``p`` of `lib.evaluation.fidelity.frechet_mmd.mmd`, or ``because``: why there is none.

    Arguments as in `embeddings`; all sets share the permutations.
    """
    found: dict[str, dict[str, float | str]] = {}
    for name in sides.measured:
        pair = (vectors[side][rows[side]] for side in (REFERENCE, name))
        try:
            found[name] = {"p": mmd(*pair, np.random.default_rng(seed), permutations=permutations).p}
        except DoppelError as error:
            found[name] = {"because": str(error)}
    return found


def texts(
    sides: Sides,
    rows: Mapping[str, np.ndarray],
    *,
    seed: int,
    draws: int,
    metrics: Collection[str] = tuple(suite.TEXT),
    progress: Progress = lambda: None,
) -> Found:
    """`lib.evaluation.fidelity.suite.text_estimates` of every arm and of the ceiling."""
    real = sides.texts(REFERENCE, rows[REFERENCE])
    found = {}
    for name in sides.measured:
        synthetic = sides.texts(name, rows[name])
        found[name] = suite.text_estimates(real, synthetic, seed=seed, draws=draws, metrics=metrics)
        progress()
    return found


def labels(sides: Sides, label: str, rows: Mapping[str, np.ndarray], *, seed: int, draws: int) -> Found:
    """`lib.evaluation.fidelity.suite.label_estimate` of every arm and of the ceiling."""
    real = sides.labels(REFERENCE, label, rows[REFERENCE])
    return {
        name: {"tv": suite.label_estimate(real, sides.labels(name, label, rows[name]), seed=seed, draws=draws)}
        for name in sides.measured
    }


def headline_views(
    sides: Sides,
    spaces: Mapping[str, Mapping[str, np.ndarray]],
    known: Mapping[str, Found],
    known_texts: Found,
    *,
    seeds: int,
    seed: int,
    draws: int,
    progress: Progress = lambda: None,
) -> list[View]:
    """The metrics of `HEADLINE` for every set: by each encoder, at n and at half of it, by ``seeds`` seeds.

    Another seed draws other records where a set has more than n, other clusters and other subsamples.

    Args:
        spaces: vectors by encoder; the first carries the comparison. seed: the first of the seeds.
        known, known_texts: what `embeddings` found with all records and ``seed``, by encoder, and what `texts` did.
        progress: called after each of the ``seeds`` further ways to measure.
    """
    first = next(iter(spaces))
    views = _views(EMBEDDINGS, known[first], "size", f"{sides.n} records")
    views += _views(TEXTS, known_texts, "size", f"{sides.n} records")
    for encoder, found in known.items():
        views += _views(EMBEDDINGS, found, "encoder", encoder)
    for task, found in ((EMBEDDINGS, known[first]), (TEXTS, known_texts)):
        views += _views(task, found, "seed", f"seed {seed}")
    ways: list[tuple[Kind, int, float]] = [("size", seed, 0.5), *(("seed", seed + k, 1.0) for k in range(1, seeds))]
    for kind, other, share in ways:
        rows = sides.rows(seed=other, share=share)
        name = f"seed {other}" if kind == "seed" else f"{len(rows[REFERENCE])} records"
        same = {"seed": other, "draws": draws}
        found = embeddings(sides, spaces[first], rows, metrics=HEADLINE[EMBEDDINGS], **same)
        views += _views(EMBEDDINGS, found, kind, name)
        views += _views(TEXTS, texts(sides, rows, metrics=HEADLINE[TEXTS], **same), kind, name)
        progress()
    return views


def _views(task: str, found: Found, kind: Kind, name: str) -> list[View]:
    directions = {metric: direction for metric, (direction, _) in (suite.EMBEDDING | suite.TEXT).items()}
    return [
        View(task, metric, directions[metric], kind, name, {side: one[metric] for side, one in found.items()})
        for metric in HEADLINE[task]
    ]
