"""How varied a set of texts is: distinct n-grams, self-BLEU, Vendi score. Best is what real text has, no extreme."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from lib.common.errors import DoppelError
from lib.data.tokenize import words
from lib.evaluation.fidelity.pairwise import checked

ORDER = 4  # BLEU counts n-grams up to this length
NO_MATCH = 0.1  # counts for a match in an order without one: 'method 1' of Chen & Cherry 2014


def ngram_counts(texts: Sequence[str], n: int) -> sparse.csr_array:
    """How often each text says each n-gram of words, (texts, n-grams); case and punctuation are ignored."""
    known: dict[tuple[str, ...], int] = {}
    places: list[int] = []
    bounds = [0]
    for text in texts:
        found = words(text)
        places += [known.setdefault(gram, len(known)) for gram in zip(*(found[k:] for k in range(n)), strict=False)]
        bounds.append(len(places))
    counts = sparse.csr_array((np.ones(len(places), np.int64), places, bounds), shape=(len(texts), len(known)))
    counts.sum_duplicates()
    return counts


def distinct(counts: sparse.csr_array) -> float:
    """Different n-grams over all n-grams of `ngram_counts`, in (0, 1] (Li et al. 2016).

    It falls as records are added: match sizes.
    """
    total = counts.sum()
    if not total:
        raise DoppelError("distinct n-grams: these texts hold none; add records, or lower n")
    return float(np.count_nonzero(counts.sum(axis=0)) / total)


def self_bleu(counts: Sequence[sparse.csr_array]) -> np.ndarray:
    """BLEU-4 of every text against all the others, (texts,), in [0, 1]; the mean is self-BLEU (Zhu et al. 2018).

    ``counts`` are `ngram_counts` for n = 1 .. ORDER. High values mean texts like one another. An n-gram's count is
    clipped at its largest count in any other text: the largest of all, or the second where the text itself has the
    largest. So the cost is that of counting, and not texts squared.
    """
    sizes = np.asarray(counts[0].sum(axis=1))
    if len(sizes) < 2:
        raise DoppelError(f"self-BLEU: {len(sizes)} texts, it needs at least 2; add records")
    matches = [_clipped_matches(one) for one in counts]
    totals = [np.maximum(sizes - n, 1) for n in range(len(counts))]
    precisions = [np.maximum(hits, NO_MATCH) / total for hits, total in zip(matches, totals, strict=True)]
    return np.where(matches[0] > 0, np.exp(np.log(precisions).mean(axis=0)) * _brevity(sizes), 0.0)


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


def _clipped_matches(counts: sparse.csr_array) -> np.ndarray:
    """Of each text's n-grams, how many another text matches, (texts,)."""
    texts, grams = counts.nonzero()
    order = np.lexsort((-counts.data, grams))  # by n-gram, its largest count first
    texts, grams, own = texts[order], grams[order], counts.data[order]
    first = np.searchsorted(grams, grams)
    second = np.minimum(first + 1, len(grams) - 1)
    runner_up = np.where(grams[second] == grams, own[second], 0) * (second > first)
    others = np.where(np.arange(len(own)) == first, runner_up, own[first])
    return np.bincount(texts, np.minimum(own, others), minlength=counts.shape[0])


def _brevity(sizes: np.ndarray) -> np.ndarray:
    """BLEU's penalty for being shorter than the closest other text (the shorter of two as close), (texts,)."""
    ordered, last = np.sort(sizes), len(sizes) - 1
    place = np.searchsorted(ordered, sizes)  # its own place, or that of the first of its equals
    below = np.where(place > 0, ordered[place - 1], -np.inf)
    above = np.where(place < last, ordered[np.minimum(place + 1, last)], np.inf)  # an equal, if there is one
    closest = np.where(sizes - below <= above - sizes, below, above)
    return np.exp(np.minimum(0, 1 - closest / np.maximum(sizes, 1)))
