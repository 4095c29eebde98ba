"""All fidelity metrics of one arm against the real records, each with its draws, as their entries say.

*Evaluation only*: real text enters. The metrics are those of `lib.evaluation.registry`; this module knows none by name.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation import registry
from lib.evaluation.entry import Entry, Family
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.fidelity import text_metrics
from lib.evaluation.fidelity.metric_input import EmbeddingPair, Pair, TextPair
from lib.evaluation.fidelity.pairwise import checked

Estimates = dict[str, Estimate | Undefined]  # by metric


def embedding_estimates(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    seed: int,
    draws: int,
    lengths: tuple[np.ndarray, np.ndarray] | None = None,
    metrics: Collection[str] | None = None,
) -> Estimates:
    """The metrics of the family "embedding".

    Args:
        real: (n, d), embeddings of the real records.
        synthetic: (m, d), embeddings of the arm's records.
        seed: of the subsamples, clusters and folds.
        draws: subsamples that give each interval.
        lengths: words of the real and of the synthetic records, (n,) and (m,), which the two-sample test matches.
        metrics: names of the metrics to compute; None: all.

    Returns:
        By metric, in the order of the registry; what cannot be computed is `Undefined` with its reason.

    Raises:
        DoppelError: the embeddings are not two tables of finite numbers of the same width, or a name is unknown.
    """
    checked("fidelity", real, synthetic, least=1)
    return _estimates("embedding", EmbeddingPair(real, synthetic, draws, seed, lengths), metrics)


def text_estimates(
    real: Sequence[str],
    synthetic: Sequence[str],
    *,
    seed: int,
    draws: int,
    metrics: Collection[str] | None = None,
) -> Estimates:
    """The metrics of the family "text".

    Args:
        real: the real texts.
        synthetic: the arm's texts.
        seed: of the subsamples.
        draws: subsamples that give each interval.
        metrics: names of the metrics to compute; None: all.

    Returns:
        By metric, in the order of the registry; what cannot be computed is `Undefined` with its reason.

    Raises:
        DoppelError: a name is unknown.
    """
    return _estimates("text", TextPair(real, synthetic, draws, seed), metrics)


def label_estimate(real: Sequence[str], synthetic: Sequence[str], *, seed: int, draws: int) -> Estimate | Undefined:
    """Total variation (``tv``) between the real and the synthetic values of one label; lower is better.

    Args:
        real: the label's value in each real record, (n,).
        synthetic: the label's value in each synthetic record, (m,).
        seed: of the subsamples.
        draws: subsamples that give the interval.
    """
    pair = TextPair(real, synthetic, draws, seed)
    return _defined(("tv",), text_metrics.label_total_variation, pair)["tv"]


def _estimates(family: Family, pair: Pair, metrics: Collection[str] | None) -> Estimates:
    """The metrics of a family; each function is called once, whatever metrics it gives."""
    entries = registry.family(family, metrics)
    by_function: dict[str, list[Entry]] = {}
    for entry in entries:
        by_function.setdefault(entry.compute, []).append(entry)
    estimates: Estimates = {}
    for same in by_function.values():
        estimates |= _defined([entry.name for entry in same], same[0].function(), pair)
    return {entry.name: _as_share(entry, estimates[entry.name], len(pair.synthetic)) for entry in entries}


def _defined(names: Sequence[str], function: Callable[[Pair], dict[str, Estimate]], pair: Pair) -> Estimates:
    """What a function returns, or under each of its ``names`` why it returns nothing."""
    try:
        return function(pair)
    except DoppelError as error:
        return {name: Undefined(str(error)) for name in names}


def _as_share(entry: Entry, estimate: Estimate | Undefined, records: int) -> Estimate | Undefined:
    """The estimate; that of a share of records with their number, which makes its interval exact."""
    if not entry.share or isinstance(estimate, Undefined):
        return estimate
    return replace(estimate, share_of=records)
