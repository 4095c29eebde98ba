"""Every set measured against the same held-out records, and the views of the headline metrics.

*Evaluation only*: every number here is computed from real text.
"""

from collections.abc import Callable, Collection, Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from lib.common.errors import DoppelError
from lib.data.tokenize import words
from lib.evaluation import registry
from lib.evaluation.comparison_sets import REFERENCE, Sides
from lib.evaluation.entry import Family
from lib.evaluation.fidelity import suite
from lib.evaluation.fidelity.frechet_mmd import mmd
from lib.evaluation.fidelity.suite import Estimates
from lib.evaluation.views import Kind, View

Measured = dict[str, Estimates]  # by set: the arms and `lib.evaluation.views.CEILING`
Progress = Callable[[], object]
EMBEDDINGS, TEXTS = "embeddings", "texts"  # tasks of the rows
_FAMILIES: dict[str, Family] = {EMBEDDINGS: "embedding", TEXTS: "text"}
FEW = 1000  # records of a set, below which a second thread of linear algebra waits more than it works


def embeddings(
    sides: Sides,
    vectors: Mapping[str, np.ndarray],
    rows: Mapping[str, np.ndarray],
    *,
    seed: int,
    draws: int,
    metrics: Collection[str] | None = None,
    progress: Progress = lambda: None,
) -> Measured:
    """Embedding metrics of every arm and of the ceiling; all share the draws of the reference.

    Args:
        sides: the sets.
        vectors: (records, d), embeddings of all records of every set.
        rows: the records that are compared, by set; see `Sides.rows`.
        seed: of the subsamples, clusters and folds.
        draws: subsamples that give each interval.
        metrics: names of the metrics; None: all of the family "embedding".
        progress: called after each set.

    Raises:
        DoppelError: from `lib.evaluation.fidelity.suite.embedding_estimates`.
    """
    lengths = {
        name: np.array([len(words(text)) for text in sides.texts(name, rows[name])], int)
        for name in (REFERENCE, *sides.measured)
        if sides.of_texts
    }
    measured = {}
    for name in sides.measured:
        with threadpool_limits(1 if sides.n < FEW else None):
            measured[name] = suite.embedding_estimates(
                vectors[REFERENCE][rows[REFERENCE]],
                vectors[name][rows[name]],
                seed=seed,
                draws=draws,
                lengths=(lengths[REFERENCE], lengths[name]) if lengths else None,
                metrics=metrics,
            )
        progress()
    return measured


def same_distribution(
    sides: Sides, vectors: Mapping[str, np.ndarray], rows: Mapping[str, np.ndarray], *, permutations: int, seed: int
) -> dict[str, dict[str, float | str]]:
    """The p value of `lib.evaluation.fidelity.frechet_mmd.mmd` for every arm and the ceiling.

    Args:
        sides: as in `embeddings`, and so are ``vectors`` and ``rows``.
        vectors: (records, d), by set.
        rows: by set.
        permutations: their number; all sets share them.
        seed: of the permutations.

    Returns:
        By set, the value under ``p``; or under ``because`` why there is none.
    """
    tested: dict[str, dict[str, float | str]] = {}
    for name in sides.measured:
        pair = (vectors[side][rows[side]] for side in (REFERENCE, name))
        try:
            tested[name] = {"p": mmd(*pair, np.random.default_rng(seed), permutations=permutations).p}
        except DoppelError as error:
            tested[name] = {"because": str(error)}
    return tested


def texts(
    sides: Sides,
    rows: Mapping[str, np.ndarray],
    *,
    seed: int,
    draws: int,
    metrics: Collection[str] | None = None,
    progress: Progress = lambda: None,
) -> Measured:
    """Text metrics of every arm and of the ceiling.

    Args:
        sides: the sets.
        rows: the records that are compared, by set.
        seed: of the subsamples.
        draws: subsamples that give each interval.
        metrics: names of the metrics; None: all of the family "text".
        progress: called after each set.
    """
    real = sides.texts(REFERENCE, rows[REFERENCE])
    measured = {}
    for name in sides.measured:
        synthetic = sides.texts(name, rows[name])
        measured[name] = suite.text_estimates(real, synthetic, seed=seed, draws=draws, metrics=metrics)
        progress()
    return measured


def labels(sides: Sides, label: str, rows: Mapping[str, np.ndarray], *, seed: int, draws: int) -> Measured:
    """Total variation (``tv``) of one label's values, of every arm and of the ceiling.

    Args:
        sides: the sets.
        label: name of the label.
        rows: the records that are compared, by set.
        seed: of the subsamples.
        draws: subsamples that give the interval.
    """
    real = sides.labels(REFERENCE, label, rows[REFERENCE])
    return {
        name: {"tv": suite.label_estimate(real, sides.labels(name, label, rows[name]), seed=seed, draws=draws)}
        for name in sides.measured
    }


def headline_views(
    sides: Sides,
    spaces: Mapping[str, Mapping[str, np.ndarray]],
    known: Mapping[str, Measured],
    known_texts: Measured | None,
    *,
    seeds: int,
    seed: int,
    draws: int,
    progress: Progress = lambda: None,
) -> list[View]:
    """The headline metrics of every set: by each encoder, at n and at half of it, by several seeds.

    Another seed draws other records where a set has more than n, other clusters and other subsamples.

    Args:
        sides: the sets.
        spaces: embeddings by encoder and set; the first encoder carries the comparison.
        known: what `embeddings` returned with all records and ``seed``, by encoder.
        known_texts: what `texts` returned with all records and ``seed``; None where the records are pictures.
        seeds: number of seeds, at least 1.
        seed: the first of the seeds.
        draws: subsamples that give each interval.
        progress: called after each of the ``seeds`` further measurements.
    """
    first = next(iter(spaces))
    views = _views(EMBEDDINGS, known[first], "size", f"{sides.n} records")
    if known_texts is not None:
        views += _views(TEXTS, known_texts, "size", f"{sides.n} records")
    for encoder, measured in known.items():
        views += _views(EMBEDDINGS, measured, "encoder", encoder)
    views += _views(EMBEDDINGS, known[first], "seed", f"seed {seed}")
    if known_texts is not None:
        views += _views(TEXTS, known_texts, "seed", f"seed {seed}")
    ways: list[tuple[Kind, int, float]] = [("size", seed, 0.5), *(("seed", seed + k, 1.0) for k in range(1, seeds))]
    for kind, other, share in ways:
        rows = sides.rows(seed=other, share=share)
        name = f"seed {other}" if kind == "seed" else f"{len(rows[REFERENCE])} records"
        same = {"seed": other, "draws": draws}
        in_space = embeddings(sides, spaces[first], rows, metrics=registry.headline("embedding"), **same)
        views += _views(EMBEDDINGS, in_space, kind, name)
        if known_texts is not None:
            views += _views(TEXTS, texts(sides, rows, metrics=registry.headline("text"), **same), kind, name)
        progress()
    return views


def _views(task: str, measured: Measured, kind: Kind, name: str) -> list[View]:
    return [
        View(task, entry.name, entry.direction, kind, name, {side: by[entry.name] for side, by in measured.items()})
        for entry in registry.family(_FAMILIES[task])
        if entry.headline
    ]
