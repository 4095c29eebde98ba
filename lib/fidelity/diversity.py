"""How varied a set of texts is: distinct n-grams, self-BLEU, Vendi score. Best is what real text has, no extreme."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from lib.errors import DoppelError
from lib.fidelity.vectors import checked
from lib.near_duplicates import words

ORDER = 4  # BLEU counts n-grams up to this length
NO_MATCH = 0.1  # counts for a match in an order without one: 'method 1' of Chen & Cherry 2014


def ngram_counts(texts: Sequence[str], n: int) -> sparse.csr_matrix:
    """How often each text says each n-gram, (texts, n-grams). Raises DoppelError when no text has ``n`` words."""
    found = [words(text) for text in texts]
    if max(map(len, found), default=0) < n:
        raise DoppelError(f"n-grams: none of {len(texts)} texts has n = {n} words; lower n")
    grams = CountVectorizer(analyzer=lambda one: zip(*(one[start:] for start in range(n)), strict=False))
    return grams.fit_transform(found)


def distinct(counts: sparse.csr_matrix) -> float:
    """Different n-grams over all n-grams of `ngram_counts`, in (0, 1] (Li et al. 2016).

    It falls as records are added: match sizes.
    """
    total = counts.sum()
    if not total:
        raise DoppelError("distinct n-grams: these texts hold none; add records, or lower n")
    return float(np.count_nonzero(counts.sum(axis=0)) / total)


def self_bleu(texts: Sequence[str]) -> np.ndarray:
    """BLEU-4 of every text against all the others, (n,), in [0, 1]; the mean is self-BLEU (Zhu et al. 2018).

    High values mean texts like one another. An n-gram's count is clipped at its largest count in any other text: the
    largest of all, or the second where the text itself has the largest. So the cost is that of counting, not n^2.
    """
    if len(texts) < 2:
        raise DoppelError(f"self-BLEU: {len(texts)} texts, it needs at least 2; add records")
    found = [words(text) for text in texts]
    sizes = np.array([len(one) for one in found])
    log_precision, matched_words = np.zeros(len(texts)), np.zeros(len(texts))
    for n in range(1, ORDER + 1):
        matches, totals = _clipped_matches(found, n), np.maximum(sizes - n + 1, 1)
        matched_words = matches if n == 1 else matched_words
        log_precision += np.log(np.maximum(matches, NO_MATCH) / totals) / ORDER
    scores = np.exp(log_precision) * _brevity(sizes)
    return np.where(matched_words > 0, scores, 0.0)


def vendi_score(embeddings: np.ndarray) -> float:
    """Effective number of different records among (n, d) embeddings, in [1, n] (Friedman & Dieng 2023).

    exp of the entropy of the eigenvalues of K / n, K the cosine similarities; it grows with n: match sizes.
    """
    embeddings, _ = checked("Vendi score", embeddings, embeddings, least=1)
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    if (norms == 0).any():
        raise DoppelError(f"Vendi score: {int((norms == 0).sum())} embeddings are zero; embed these texts again")
    rows = (embeddings / norms).astype(np.float64)
    gram = rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows
    shares = np.linalg.eigvalsh(gram / len(rows))
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _clipped_matches(found: Sequence[Sequence[str]], n: int) -> np.ndarray:
    """Of each text's n-grams, how many another text matches, (texts,)."""
    counts = [Counter(zip(*(one[start:] for start in range(n)), strict=False)) for one in found]
    largest: dict[tuple[str, ...], tuple[int, int, int]] = {}  # n-gram -> largest count, whose, second largest
    for text, own in enumerate(counts):
        for gram, count in own.items():
            first, whose, second = largest.get(gram, (0, -1, 0))
            largest[gram] = (count, text, first) if count > first else (first, whose, max(second, count))
    return np.array(
        [
            sum(min(count, largest[gram][2 if largest[gram][1] == text else 0]) for gram, count in own.items())
            for text, own in enumerate(counts)
        ],
        float,
    )


def _brevity(sizes: np.ndarray) -> np.ndarray:
    """BLEU's penalty for being shorter than the closest other text (the shorter of two as close), (texts,)."""
    ordered, last = np.sort(sizes), len(sizes) - 1
    place = np.searchsorted(ordered, sizes)  # its own place, or that of the first of its equals
    below = np.where(place > 0, ordered[place - 1], -np.inf)
    above = np.where(place < last, ordered[np.minimum(place + 1, last)], np.inf)  # an equal, if there is one
    closest = np.where(sizes - below <= above - sizes, below, above)
    return np.exp(np.minimum(0, 1 - closest / np.maximum(sizes, 1)))
