"""How varied a set of texts is: distinct n-grams, self-BLEU, Vendi score. The best value is that of real text."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from lib.common.errors import DoppelError
from lib.data.tokenize import words
from lib.evaluation.estimate import Estimate
from lib.evaluation.fidelity.metric_input import EmbeddingPair, TextPair
from lib.evaluation.fidelity.pairwise import checked

ORDER = 4  # BLEU counts n-grams up to this length
NO_MATCH = 0.1  # counts for a match in an order without one: 'method 1' of Chen & Cherry 2014


def ngram_counts(texts: Sequence[str], n: int) -> sparse.csr_array:
    """How often each text contains each n-gram of words, (texts, n-grams); case and punctuation are ignored.

    Args:
        texts: plain texts.
        n: words of an n-gram, at least 1.
    """
    columns: dict[tuple[str, ...], int] = {}
    places: list[int] = []
    bounds = [0]
    for text in texts:
        tokens = words(text)
        places += [
            columns.setdefault(gram, len(columns)) for gram in zip(*(tokens[k:] for k in range(n)), strict=False)
        ]
        bounds.append(len(places))
    counts = sparse.csr_array((np.ones(len(places), np.int64), places, bounds), shape=(len(texts), len(columns)))
    counts.sum_duplicates()
    return counts


def distinct(counts: sparse.csr_array) -> float:
    """Different n-grams over all n-grams, in (0, 1] (Li et al. 2016). It falls as records are added: match sizes.

    Args:
        counts: (texts, n-grams), see `ngram_counts`.

    Raises:
        DoppelError: there is no n-gram.
    """
    total = counts.sum()
    if not total:
        raise DoppelError(
            "evaluation.no_ngrams",
            "distinct n-grams: these texts contain none",
            remedy="add records, or lower n",
        )
    return float(np.count_nonzero(counts.sum(axis=0)) / total)


def self_bleu(counts: Sequence[sparse.csr_array]) -> np.ndarray:
    """BLEU-4 of every text against all the others, (texts,), in [0, 1]; the mean is self-BLEU (Zhu et al. 2018).

    High values mean that texts resemble one another. An n-gram's count is clipped at its largest count in any other
    text: the largest of all, or the second where the text itself has the largest. So the cost is that of counting, not
    of texts squared.

    Args:
        counts: `ngram_counts` of the same texts for n = 1, ..., `ORDER`.

    Raises:
        DoppelError: fewer than 2 texts.
    """
    sizes = np.asarray(counts[0].sum(axis=1))
    if len(sizes) < 2:
        raise DoppelError(
            "evaluation.too_few_texts",
            f"self-BLEU: {len(sizes)} texts, it needs at least 2",
            name="texts",
            value=len(sizes),
            remedy="add records",
        )
    matches = [_clipped_matches(of_order) for of_order in counts]
    totals = [np.maximum(sizes - n, 1) for n in range(len(counts))]
    precisions = [np.maximum(hits, NO_MATCH) / total for hits, total in zip(matches, totals, strict=True)]
    return np.where(matches[0] > 0, np.exp(np.log(precisions).mean(axis=0)) * _brevity(sizes), 0.0)


def repetition(texts: Sequence[str], size: int, *, seed: int) -> float:
    """Self-BLEU of some of a set of texts, in [0, 1]; it grows with their number, so sets are compared at one size.

    One text repeats no other: 0.

    Args:
        texts: plain texts.
        size: how many of them to take, at least 1.
        seed: of the draw.
    """
    some = np.random.default_rng(seed).permutation(len(texts))[:size]
    if len(some) == 1:
        return 0.0
    return float(self_bleu([ngram_counts([texts[i] for i in some], n) for n in range(1, ORDER + 1)]).mean())


def vendi_score(embeddings: np.ndarray) -> float:
    """Effective number of different records, in [1, n] (Friedman & Dieng 2023). It grows with n: match sizes.

    The exponential of the entropy of the eigenvalues of K / n, where K holds the cosine similarities.

    Args:
        embeddings: (n, d), no row 0.

    Raises:
        DoppelError: no record, a value that is not finite, or a row that is 0.
    """
    embeddings, _ = checked("Vendi score", embeddings, embeddings, least=1)
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    if zeros := int((norms == 0).sum()):
        raise DoppelError(
            "evaluation.zero_embeddings",
            f"Vendi score: {zeros} embeddings are zero",
            name="Vendi score",
            value=zeros,
            remedy="embed these texts again",
        )
    rows = (embeddings / norms).astype(np.float64)
    return vendi_score_of(rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows, len(rows))


def vendi_score_of(similarities: np.ndarray, records: int) -> float:
    """`vendi_score` from cosine similarities, or from a matrix with the same eigenvalues above 0.

    Args:
        similarities: symmetric, (m, m).
        records: how many records they are of, n.
    """
    shares = np.linalg.eigvalsh(similarities / records)
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def vendi(pair: EmbeddingPair) -> dict[str, Estimate]:
    """``vendi``: `vendi_score` of the synthetic records of a ``pair``."""
    return pair.estimate(lambda _, rows: {"vendi": vendi_score(pair.synthetic[rows])})


def distinct_words(pair: TextPair) -> dict[str, Estimate]:
    """``distinct_1``: `distinct` words of the synthetic texts of a ``pair``."""
    return _distinct(pair, 1)


def distinct_pairs(pair: TextPair) -> dict[str, Estimate]:
    """``distinct_2``: `distinct` pairs of neighbouring words of the synthetic texts of a ``pair``."""
    return _distinct(pair, 2)


def distinct_triples(pair: TextPair) -> dict[str, Estimate]:
    """``distinct_3``: `distinct` triples of neighbouring words of the synthetic texts of a ``pair``."""
    return _distinct(pair, 3)


def mean_self_bleu(pair: TextPair) -> dict[str, Estimate]:
    """``self_bleu``: the mean `self_bleu` of the synthetic texts of a ``pair``."""
    counts = [ngram_counts(pair.synthetic, n) for n in range(1, ORDER + 1)]
    return pair.estimate(
        lambda _, rows: {"self_bleu": float(self_bleu([of_order[rows] for of_order in counts]).mean())}
    )


def _distinct(pair: TextPair, n: int) -> dict[str, Estimate]:
    counts = ngram_counts(pair.synthetic, n)
    return pair.estimate(lambda _, rows: {f"distinct_{n}": distinct(counts[rows])})


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
