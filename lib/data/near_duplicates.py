"""Finds near-duplicate texts exactly: all pairs whose sets of shingles reach a Jaccard similarity."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from lib.data.tokenize import words

SHINGLE = 3  # words
SHORT = 6  # a text of fewer words is compared by its words: one changed word would change most of its shingles
CHUNK = 5_000_000  # matrix products at a time; bounds the memory of the search to about 300 MB beside the sets
HASHES = 2**31 - 1  # shingles are hashed to 31 bits; two of one text collide in less than one of a million texts


def shingles(text: str) -> set[tuple[str, ...]]:
    """Every run of `SHINGLE` words in ``text``; for a text of fewer than `SHORT` words, each of its words."""
    tokens = words(text)
    length = SHINGLE if len(tokens) >= SHORT else 1
    return set(zip(*(tokens[start:] for start in range(length)), strict=False))


def with_near_duplicate(texts: Sequence[str], corpus: Sequence[str], similarity: float) -> np.ndarray:
    """Which texts have a near-duplicate in a corpus.

    Args:
        texts: the n texts to test.
        corpus: the texts to compare them with.
        similarity: the least Jaccard similarity of near-duplicates, in (0, 1]; see `first_of_each`.

    Returns:
        bool, shape (n,).
    """
    near = np.zeros(len(texts), bool)
    if texts and corpus:
        for i, _ in _links(_sets([*texts, *corpus]), similarity, split=len(texts)):
            near[i] = True
    return near


def first_of_each(texts: list[str], similarity: float) -> np.ndarray:
    """Keep the first text of every group of near-duplicates.

    Two texts are linked when the Jaccard similarity of their sets of shingles, |A and B| / |A or B|, is at least
    ``similarity``. Groups are the connected components, so no two texts that are kept are linked. Only pairs that share
    one of their rarest shingles are compared, since every pair that reaches the similarity does (prefix filtering:
    Chaudhuri, Ganti & Kaushik 2006).

    Args:
        texts: the n texts; of each group the one that comes first stays.
        similarity: the least Jaccard similarity of near-duplicates, in (0, 1].

    Returns:
        bool, shape (n,): which texts to keep.
    """
    sets = _sets(texts)
    links = [np.concatenate(ends) for ends in zip(*_links(sets, similarity), strict=True)]
    graph = sparse.coo_array((np.ones(len(links[0]), bool), links), shape=(len(texts), len(texts)))
    _, group = connected_components(graph, directed=False)
    keep = np.zeros(len(texts), bool)
    keep[np.unique(group, return_index=True)[1]] = True
    return keep


def _sets(texts: list[str]) -> sparse.csr_array:
    """Texts x shingles, 0 or 1. Columns run from the rarest shingle to the most common; indices are sorted in a row."""
    from sklearn.feature_extraction.text import HashingVectorizer  # here: pre-flight imports this

    hashed = HashingVectorizer(
        analyzer=lambda text: (" ".join(shingle) for shingle in shingles(text)),
        n_features=HASHES,
        alternate_sign=False,
        binary=True,
        norm=None,
        dtype=np.int32,
    ).transform(texts)
    _, column, count = np.unique(hashed.indices, return_inverse=True, return_counts=True)
    place = np.empty(len(count), np.int32)
    place[np.argsort(count, kind="stable")] = np.arange(len(count), dtype=np.int32)
    sets = sparse.csr_array((hashed.data, place[column], hashed.indptr), shape=(len(texts), len(count)))
    sets.sort_indices()
    return sets


def _links(
    sets: sparse.csr_array, similarity: float, split: int | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs (i, j), i < j, that reach the similarity, in chunks; with ``split`` only those with i < split <= j."""
    sizes = np.diff(sets.indptr)
    rare = _prefixes(sets, sizes, similarity)
    first = 0 if split is None else split  # the smallest j
    holders = rare[first:].T.tocsr()  # shingle -> the texts from ``first`` on that have it among their rarest
    work = np.cumsum(rare[:split] @ np.diff(holders.indptr))
    for rows in np.split(np.arange(len(work)), np.flatnonzero(np.diff(work // CHUNK)) + 1):
        pairs = (rare[rows] @ holders).tocoo()
        left, right = rows[pairs.row], first + pairs.col
        later = left < right
        left, right = left[later], right[later]
        for chunk in np.array_split(np.arange(len(left)), 1 + (sizes[left] + sizes[right]).sum() // CHUNK):
            i, j = left[chunk], right[chunk]
            shared = sets[i].multiply(sets[j]).sum(axis=1)
            near = shared / (sizes[i] + sizes[j] - shared) >= similarity
            yield i[near], j[near]


def _prefixes(sets: sparse.csr_array, sizes: np.ndarray, similarity: float) -> sparse.csr_array:
    """The rarest shingles of each text: so many that every pair that reaches the similarity shares one of them.

    Such a pair shares at least ceil(similarity * size) shingles, so one fewer than that can be left out.
    """
    least = np.ceil(similarity * sizes - 1e-9).astype(sizes.dtype)  # rounding must not raise 14.000000000000002 to 15
    position = np.arange(sets.nnz) - np.repeat(sets.indptr[:-1], sizes)
    count = np.bincount(sets.indices, minlength=sets.shape[1])
    chosen = (position <= np.repeat(sizes - least, sizes)) & (count[sets.indices] > 1)
    bounds = np.concatenate([[0], np.cumsum(chosen)])[sets.indptr]
    return sparse.csr_array((sets.data[chosen], sets.indices[chosen], bounds), shape=sets.shape)
