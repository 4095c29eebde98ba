"""Membership scores from the synthetic text alone: how much a canary resembles what its generator has seen.

They need neither the model nor private text (Meeus et al. 2025, "The Canary's Echo", arXiv:2502.14921). All are higher
for canaries that were rather in the train set.
"""

from collections.abc import Sequence

import numpy as np

from lib.common.errors import DoppelError
from lib.data.word_ngrams import encode, ngrams

CHUNK = 8_000_000  # cosines at a time: 64 MB


def bigram(canaries: Sequence[str], texts: Sequence[str], *, smoothing: float = 1.0) -> np.ndarray:
    """Mean log probability of each canary's words after its first, under a 2-gram model of the synthetic texts.

    P(b | a) = (count(a b) + s) / (count(a followed by any word) + s V) (additive smoothing), with V the number of
    different words in ``texts``, plus one that stands for all other words.

    Args:
        canaries: at least one.
        texts: synthetic texts, at least one.
        smoothing: s, above 0.

    Returns:
        Scores in nats per word, at most 0, shape (n,). A canary of fewer than two words scores log(1 / V).

    Raises:
        DoppelError: ``smoothing`` is not above 0, or there are no canaries or no texts.
    """
    if not smoothing > 0:
        raise DoppelError(
            "audit.smoothing_out_of_range",
            f"smoothing = {smoothing}, it must be above 0: else a pair that never occurs would score -infinity",
            name="smoothing",
            value=smoothing,
        )
    _check(canaries, texts)
    both = encode([*texts, *canaries])
    pairs, starts = ngrams(both, 2)
    owner, first = both.text[starts], both.numbers[starts]
    of_texts, of_canaries = owner < len(texts), owner >= len(texts)
    in_texts = both.numbers[both.text < len(texts)]
    size = len(np.unique(in_texts[in_texts < both.vocabulary])) + 1
    pair_count = np.bincount(pairs[of_texts], minlength=len(both.numbers))
    first_count = np.bincount(first[of_texts], minlength=both.vocabulary)
    probability = (pair_count[pairs[of_canaries]] + smoothing) / (first_count[first[of_canaries]] + smoothing * size)
    return _means(np.log(probability), owner[of_canaries] - len(texts), len(canaries), default=-np.log(size))


def overlap(canaries: Sequence[str], texts: Sequence[str], *, n: int = 3) -> np.ndarray:
    """Share of each canary's n-grams that occur in the synthetic texts.

    Args:
        canaries: at least one.
        texts: synthetic texts, at least one.
        n: words in an n-gram, at least 1.

    Returns:
        Shares in [0, 1], shape (canaries,). A canary of fewer than ``n`` words scores 0.

    Raises:
        DoppelError: ``n`` is below 1, or there are no canaries or no texts.
    """
    if n < 1:
        raise DoppelError("audit.n_out_of_range", f"n = {n} words, it must be at least 1", name="n", value=n)
    _check(canaries, texts)
    both = encode([*texts, *canaries])
    runs, starts = ngrams(both, n)
    owner = both.text[starts]
    of_canaries = owner >= len(texts)
    occurs = np.isin(runs[of_canaries], runs[~of_canaries])
    return _means(occurs.astype(float), owner[of_canaries] - len(texts), len(canaries), default=0.0)


def similarity(canaries: np.ndarray, texts: np.ndarray, *, nearest: int = 25) -> np.ndarray:
    """Mean cosine similarity of each canary to the synthetic texts that are closest to it.

    Args:
        canaries: embeddings, shape (n, d), none of them 0.
        texts: embeddings, shape (k, d), k at least 1, none of them 0.
        nearest: how many texts count, at least 1; at most k are used.

    Returns:
        Scores in [-1, 1], shape (n,).

    Raises:
        DoppelError: the shapes do not fit, or ``nearest`` is below 1.
    """
    if canaries.ndim != 2 or texts.ndim != 2 or canaries.shape[1] != texts.shape[1] or not len(texts):
        raise DoppelError(
            "audit.embedding_shapes",
            f"embeddings of shapes {canaries.shape} and {texts.shape}; they must be (n, d) and (k, d), k at least 1",
            name="texts",
            value=(canaries.shape, texts.shape),
        )
    if nearest < 1:
        raise DoppelError(
            "audit.nearest_out_of_range", f"nearest = {nearest}, it must be at least 1", name="nearest", value=nearest
        )
    directions = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    nearest, score = min(nearest, len(texts)), np.empty(len(canaries))
    for rows in np.array_split(np.arange(len(canaries)), 1 + len(canaries) * len(texts) // CHUNK):
        cosines = canaries[rows] / np.linalg.norm(canaries[rows], axis=1, keepdims=True) @ directions.T
        score[rows] = np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1)
    return score


def _means(values: np.ndarray, owner: np.ndarray, owners: int, *, default: float) -> np.ndarray:
    """Mean value of each owner, ``default`` where it has no values; shape (owners,)."""
    count = np.bincount(owner, minlength=owners)
    total = np.bincount(owner, weights=values, minlength=owners)
    return np.where(count > 0, total / np.maximum(count, 1), default)


def _check(canaries: Sequence[str], texts: Sequence[str]) -> None:
    for name, given in (("canaries", canaries), ("texts", texts)):
        if not given:
            raise DoppelError(
                "audit.nothing_to_score",
                f"there are {len(canaries)} canaries and {len(texts)} texts; a score needs at least one of each",
                name=name,
                value=0,
            )
