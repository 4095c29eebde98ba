"""All metrics of one arm against the real records, each with its draws."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation.estimate import Estimate, Statistic, Undefined, estimate, subsamples
from lib.evaluation.fidelity import text_metrics
from lib.evaluation.fidelity.clusters import joint_clusters, kl_divergence, total_variation
from lib.evaluation.fidelity.diversity import ORDER, distinct, ngram_counts, self_bleu, vendi_score
from lib.evaluation.fidelity.frechet_mmd import frechet_distance, frechet_infinity, weighted_mmd
from lib.evaluation.fidelity.mauve import frontier_area
from lib.evaluation.fidelity.pairwise import centred, checked, median_distance
from lib.evaluation.fidelity.precision_recall import manifold
from lib.evaluation.fidelity.sinkhorn import BLUR, sinkhorn_divergence
from lib.evaluation.fidelity.two_sample_test import match_lengths, two_sample_accuracy
from lib.evaluation.metric import Direction

Estimates = dict[str, Estimate | Undefined]

# name: (what is better, whether real text enters the value)
EMBEDDING: dict[str, tuple[Direction, bool]] = {
    "frechet": ("lower", True),
    "frechet_infinity": ("lower", True),
    "mmd": ("lower", True),
    "sinkhorn": ("lower", True),
    "precision": ("higher", True),
    "recall": ("higher", True),
    "density": ("match", True),
    "coverage": ("higher", True),
    "mauve": ("higher", True),
    "kl": ("lower", True),
    "tv": ("lower", True),
    "two_sample_accuracy": ("lower", True),
    "vendi": ("match", False),
}
TEXT: dict[str, tuple[Direction, bool]] = {
    "record_length_w1": ("lower", True),
    "sentence_length_w1": ("lower", True),
    "word_jsd": ("lower", True),
    "distinct_1": ("match", False),
    "distinct_2": ("match", False),
    "distinct_3": ("match", False),
    "self_bleu": ("match", False),
    "broken": ("match", False),
    "non_text": ("match", False),
    "repetitive": ("match", False),
    "abrupt": ("match", False),
}
SHARES = ("broken", "non_text", "repetitive", "abrupt")  # of records, each of which is so by itself


def embedding_estimates(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    seed: int,
    draws: int,
    lengths: tuple[np.ndarray, np.ndarray] | None = None,
    metrics: Collection[str] = tuple(EMBEDDING),
) -> Estimates:
    """The ``metrics`` of `EMBEDDING` for (n, d) and (m, d) embeddings; ``draws`` subsamples give the intervals.

    ``lengths`` in words of the real and synthetic records, (n,) and (m,), are matched for the two-sample test. What
    cannot be computed is `Undefined` with its reason.
    """
    checked("fidelity", real, synthetic, least=1)
    builders: dict[tuple[str, ...], Callable[[], Statistic]] = {
        ("frechet",): lambda: lambda i, j: {"frechet": frechet_distance(real[i], synthetic[j])},
        ("frechet_infinity",): lambda: (
            lambda i, j: {
                "frechet_infinity": frechet_infinity(real[i], synthetic[j], np.random.default_rng([seed, len(i)]))
            }
        ),
        ("sinkhorn",): lambda: _sinkhorn(real, synthetic),
        ("precision", "recall", "density", "coverage"): lambda: lambda i, j: vars(manifold(real[i], synthetic[j])),
        ("mauve", "kl", "tv"): lambda: _histograms(real, synthetic, seed),
        ("two_sample_accuracy",): lambda: _two_sample(real, synthetic, seed, lengths),
        ("vendi",): lambda: lambda _, j: {"vendi": vendi_score(synthetic[j])},
    }
    found = _estimates(_wanted(builders, metrics), len(real), len(synthetic), draws, seed)
    if "mmd" in metrics:
        found |= _defined(("mmd",), lambda: {"mmd": _mmd(real, synthetic, draws, seed)})
    return {name: found[name] for name in EMBEDDING if name in metrics}


def text_estimates(
    real: Sequence[str],
    synthetic: Sequence[str],
    *,
    seed: int,
    draws: int,
    metrics: Collection[str] = tuple(TEXT),
) -> Estimates:
    """The ``metrics`` of `TEXT` for texts; ``draws`` subsamples give the intervals."""
    builders: dict[tuple[str, ...], Callable[[], Statistic]] = {
        ("record_length_w1", "sentence_length_w1"): lambda: _lengths(real, synthetic),
        ("word_jsd",): lambda: _words(real, synthetic),
        ("self_bleu",): lambda: _self_bleu(synthetic),
        SHARES: lambda: _mean_of(text_metrics.defect_table(synthetic)),
        **{(f"distinct_{n}",): lambda n=n: _distinct(synthetic, n) for n in (1, 2, 3)},
    }
    found = _estimates(_wanted(builders, metrics), len(real), len(synthetic), draws, seed)
    for name in SHARES:
        if isinstance(share := found.get(name), Estimate):
            found[name] = replace(share, share_of=len(synthetic))
    return {name: found[name] for name in TEXT if name in metrics}


def label_estimate(real: Sequence[str], synthetic: Sequence[str], *, seed: int, draws: int) -> Estimate | Undefined:
    """`lib.evaluation.fidelity.text_metrics.label_distance` of one label's values, with its subsamples; lower is better."""
    sides = np.asarray(real), np.asarray(synthetic)
    statistic = {("tv",): lambda: lambda i, j: {"tv": text_metrics.label_distance(sides[0][i], sides[1][j])}}
    return _estimates(statistic, len(real), len(synthetic), draws, seed)["tv"]


def _wanted(
    builders: Mapping[tuple[str, ...], Callable[[], Statistic]], metrics: Collection[str]
) -> dict[tuple[str, ...], Callable[[], Statistic]]:
    """Without what gives none of the ``metrics``."""
    return {names: build for names, build in builders.items() if not set(names).isdisjoint(metrics)}


def _estimates(
    builders: Mapping[tuple[str, ...], Callable[[], Statistic]], real: int, synthetic: int, draws: int, seed: int
) -> Estimates:
    found: Estimates = {}
    for names, build in builders.items():
        found |= _defined(names, lambda build=build: estimate(build(), real, synthetic, draws=draws, seed=seed))
    return found


def _defined(names: Sequence[str], compute: Callable[[], dict[str, Estimate]]) -> Estimates:
    """What ``compute`` gives, or the reason why it gives nothing under each of its names."""
    try:
        return compute()
    except DoppelError as error:
        return {name: Undefined(str(error)) for name in names}


def _sinkhorn(real: np.ndarray, synthetic: np.ndarray) -> Statistic:
    blur = BLUR * median_distance(centred("Sinkhorn divergence", real, synthetic, least=2)[0])
    return lambda i, j: {"sinkhorn": sinkhorn_divergence(real[i], synthetic[j], blur=blur)}


def _histograms(real: np.ndarray, synthetic: np.ndarray, seed: int) -> Statistic:
    """The clusters stay those of all records; their histograms are drawn."""
    clusters = joint_clusters(real, synthetic, seed=seed)

    def statistic(i: np.ndarray, j: np.ndarray) -> dict[str, float]:
        p, q = clusters.histograms(i, j)
        return {"mauve": frontier_area(p, q), "kl": kl_divergence(p, q), "tv": total_variation(p, q)}

    return statistic


def _two_sample(
    real: np.ndarray, synthetic: np.ndarray, seed: int, lengths: tuple[np.ndarray, np.ndarray] | None
) -> Statistic:
    """Matched in length, or in number alone without lengths, and fitted again in every draw."""

    def statistic(i: np.ndarray, j: np.ndarray) -> dict[str, float]:
        sides = (np.zeros(len(i)), np.zeros(len(j))) if lengths is None else (lengths[0][i], lengths[1][j])
        matched = match_lengths(*sides, np.random.default_rng(seed))
        return {"two_sample_accuracy": two_sample_accuracy(real[i[matched[0]]], synthetic[j[matched[1]]], seed=seed)}

    return statistic


def _mmd(real: np.ndarray, synthetic: np.ndarray, draws: int, seed: int) -> Estimate:
    """Every subsample from the same kernel values, in one pass."""
    real, synthetic = centred("MMD", real, synthetic, least=2)
    weights = [np.zeros((len(real) + len(synthetic), draws + 1), np.float32) for _ in range(2)]
    weights[0][: len(real), 0] = weights[1][len(real) :, 0] = 1
    for column, (i, j) in enumerate(subsamples(len(real), len(synthetic), draws=draws, seed=seed), 1):
        weights[0][i, column] = weights[1][len(real) + j, column] = 1
    value, *drawn = weighted_mmd(np.concatenate([real, synthetic]), *weights, median_distance(real))
    return Estimate.from_subsamples(value, np.array(drawn), len(synthetic))


def _lengths(real: Sequence[str], synthetic: Sequence[str]) -> Statistic:
    sides = text_metrics.lengths(real), text_metrics.lengths(synthetic)
    for side in sides:
        if not side.records.any():
            raise DoppelError(
                f"lengths: {len(side.records)} texts hold no word; leave this arm out, or generate it again"
            )

    def statistic(i: np.ndarray, j: np.ndarray) -> dict[str, float]:
        records = [side.records[rows] for side, rows in zip(sides, (i, j), strict=True)]
        sentences = [side.sentences[np.isin(side.of_record, rows)] for side, rows in zip(sides, (i, j), strict=True)]
        return {
            "record_length_w1": text_metrics.length_distance(*records),
            "sentence_length_w1": text_metrics.length_distance(*sentences),
        }

    return statistic


def _words(real: Sequence[str], synthetic: Sequence[str]) -> Statistic:
    counts = text_metrics.word_counts([*real, *synthetic])
    sides = counts[: len(real)], counts[len(real) :]
    return lambda i, j: {"word_jsd": text_metrics.jensen_shannon(_total(sides[0][i]), _total(sides[1][j]))}


def _distinct(synthetic: Sequence[str], n: int) -> Statistic:
    counts = ngram_counts(synthetic, n)
    return lambda _, j: {f"distinct_{n}": distinct(counts[j])}


def _self_bleu(synthetic: Sequence[str]) -> Statistic:
    counts = [ngram_counts(synthetic, n) for n in range(1, ORDER + 1)]
    return lambda _, j: {"self_bleu": float(self_bleu([one[j] for one in counts]).mean())}


def _mean_of(values: Mapping[str, np.ndarray]) -> Statistic:
    """Means of numbers that each synthetic record has by itself, (m,)."""
    named = {name.replace("-", "_"): np.asarray(one, float) for name, one in values.items()}
    return lambda _, j: {name: float(one[j].mean()) for name, one in named.items()}


def _total(counts) -> np.ndarray:
    return np.asarray(counts.sum(axis=0)).ravel()
