"""Membership scores from the synthetic text alone: how much a canary looks like what the text's maker has seen.

All are higher for what was rather in, and need neither the model nor private text (Meeus et al. 2025).
"""

from collections.abc import Sequence

import numpy as np

from lib.common.errors import DoppelError
from lib.data.word_ngrams import encode, ngrams

CHUNK = 8_000_000  # cosines at a time: 64 MB


def bigram(canaries: Sequence[str], texts: Sequence[str], *, smoothing: float = 1.0) -> np.ndarray:
    """Mean log probability in nats of each canary's words after its first, by a 2-gram model of ``texts``; shape (n,).

    P(b | a) = (count(a b) + s) / (count(a and any next) + s V), with s the ``smoothing`` (add-s) and V the number of
    different words of ``texts``, plus one for all others. A canary of fewer than two words scores log(1 / V).
    """
    if not smoothing > 0:
        raise DoppelError(f"smoothing = {smoothing}, it must be above 0: a pair that never came would score -infinity")
    _check(canaries, texts)
    both = encode([*texts, *canaries])
    pairs, starts = ngrams(both, 2)
    owner, first = both.text[starts], both.numbers[starts]
    known, mine = owner < len(texts), owner >= len(texts)
    seen = both.numbers[both.text < len(texts)]
    size = len(np.unique(seen[seen < both.vocabulary])) + 1
    pair_count = np.bincount(pairs[known], minlength=len(both.numbers))
    first_count = np.bincount(first[known], minlength=both.vocabulary)
    chance = (pair_count[pairs[mine]] + smoothing) / (first_count[first[mine]] + smoothing * size)
    return _means(np.log(chance), owner[mine] - len(texts), len(canaries), without=-np.log(size))


def overlap(canaries: Sequence[str], texts: Sequence[str], *, n: int = 3) -> np.ndarray:
    """Share of each canary's runs of ``n`` words that stand in ``texts``, in [0, 1]; shape (canaries,).

    A canary of fewer than ``n`` words scores 0.
    """
    if n < 1:
        raise DoppelError(f"n = {n} words, it must be at least 1")
    _check(canaries, texts)
    both = encode([*texts, *canaries])
    found, starts = ngrams(both, n)
    owner = both.text[starts]
    mine = owner >= len(texts)
    stands = np.isin(found[mine], found[~mine])
    return _means(stands.astype(float), owner[mine] - len(texts), len(canaries), without=0.0)


def similarity(canaries: np.ndarray, texts: np.ndarray, *, nearest: int = 25) -> np.ndarray:
    """Mean cosine of each canary to the ``nearest`` texts that are closest to it, in [-1, 1]; shape (n,).

    ``canaries`` (n, d) and ``texts`` (k, d) are embeddings of any length but 0; ``nearest`` is cut to k.
    """
    if canaries.ndim != 2 or texts.ndim != 2 or canaries.shape[1] != texts.shape[1] or not len(texts):
        raise DoppelError(f"embeddings of shapes {canaries.shape} and {texts.shape}; (n, d) and (k, d), k at least 1")
    if nearest < 1:
        raise DoppelError(f"nearest = {nearest}, it must be at least 1")
    unit = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    nearest, score = min(nearest, len(texts)), np.empty(len(canaries))
    for rows in np.array_split(np.arange(len(canaries)), 1 + len(canaries) * len(texts) // CHUNK):
        cosines = canaries[rows] / np.linalg.norm(canaries[rows], axis=1, keepdims=True) @ unit.T
        score[rows] = np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1)
    return score


def _means(values: np.ndarray, owner: np.ndarray, owners: int, *, without: float) -> np.ndarray:
    """Mean value of each owner, and ``without`` for one that has none."""
    count = np.bincount(owner, minlength=owners)
    total = np.bincount(owner, weights=values, minlength=owners)
    return np.where(count > 0, total / np.maximum(count, 1), without)


def _check(canaries: Sequence[str], texts: Sequence[str]) -> None:
    if not texts or not canaries:
        raise DoppelError(f"{len(canaries)} canaries and {len(texts)} texts; a score needs some of both")
