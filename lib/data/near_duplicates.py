"""Finds near-duplicate texts exactly: all pairs whose sets of shingles reach a Jaccard similarity.

What grows with the texts lies in files without a name (`lib.data.spill`); in memory are a few numbers a text, and
chunks. Texts are read once, so they may come from anywhere.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from lib.data.spill import Spill
from lib.data.tokenize import words

SHINGLE = 3  # words
SHORT = 6  # a text of fewer words is compared by its words: one changed word would change most of its shingles
CHUNK = 1_000_000  # matrix products at a time; bounds the memory of the search to about 100 MB beside the sets
HASHES = 2**31 - 1  # shingles are hashed to 31 bits; two of one text collide in less than one of a million texts
TEXTS = 20_000  # that are hashed at a time
IN_MEMORY = 2**24  # bytes of a file that stay in memory
ROUNDING = 1e-9  # 0.56 x 25 is 14.000000000000002 in floating point, and 14 shared shingles of 25 are enough
COUNTERS = 2**26  # at most, for how frequent shingles are; each counts for all shingles of one remainder
PART = 2**24  # shingles of which the rarest of each text are joined at a time


def shingles(text: str) -> set[tuple[str, ...]]:
    """Every run of `SHINGLE` words in ``text``; for a text of fewer than `SHORT` words, each of its words."""
    tokens = words(text)
    length = SHINGLE if len(tokens) >= SHORT else 1
    return set(zip(*(tokens[start:] for start in range(length)), strict=False))


def with_near_duplicate(texts: Iterable[str], corpus: Iterable[str], similarity: float) -> np.ndarray:
    """Which texts have a near-duplicate in a corpus.

    Args:
        texts: the n texts to test.
        corpus: the texts to compare them with.
        similarity: the least Jaccard similarity of near-duplicates, in (0, 1]; see `first_of_each`.

    Returns:
        bool, shape (n,).
    """
    left, right = _Sets(texts), _Sets(corpus)
    near = np.zeros(len(left), bool)
    for i, _ in _links(left, right, similarity, lambda i, j: ~near[i]):
        near[i] = True
    return near[left.first]


def first_of_each(texts: Iterable[str], similarity: float) -> np.ndarray:
    """Keep the first text of every group of near-duplicates.

    Two texts are linked when the Jaccard similarity of their sets of shingles, |A and B| / |A or B|, is at least
    ``similarity``. Groups are the connected components, so no two texts that are kept are linked. Only pairs that share
    one of their rarest shingles are compared, since every pair that reaches the similarity does (prefix filtering:
    Chaudhuri, Ganti & Kaushik 2006). Of texts that have the same set, only the first is compared with others.

    Args:
        texts: the n texts; of each group the one that comes first stays.
        similarity: the least Jaccard similarity of near-duplicates, in (0, 1].

    Returns:
        bool, shape (n,): which texts to keep.
    """
    sets = _Sets(texts)
    group = np.arange(len(sets))
    for i, j in _links(sets, None, similarity, lambda i, j: group[i] != group[j]):
        links = sparse.coo_array((np.ones(len(i), bool), (group[i], group[j])), shape=(len(sets), len(sets)))
        group[:] = connected_components(links, directed=False)[1][group]
    keep = np.zeros(len(sets), bool)
    keep[np.unique(group[sets.first], return_index=True)[1]] = True
    return keep


class _Sets:
    """The hashed shingles of texts, one set after another, each ascending.

    Attributes:
        flat: int32, shape (shingles,); memory-mapped where there are many.
        sizes: shingles of each text, int64, shape (texts,).
        ends: where each set begins, and the last ends; int64, shape (texts + 1,).
        first: the first text that has the same set, shape (texts,); the text itself where that is empty.
    """

    def __init__(self, texts: Iterable[str]):
        from sklearn.feature_extraction.text import HashingVectorizer  # here: pre-flight imports this

        hashing = HashingVectorizer(
            analyzer=lambda text: (" ".join(shingle) for shingle in shingles(text)),
            n_features=HASHES,
            alternate_sign=False,
            binary=True,
            norm=None,
            dtype=np.int32,
        )
        self._file, texts = Spill(IN_MEMORY), iter(texts)
        sizes, sums = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
        while chunk := list(islice(texts, TEXTS)):
            hashed = hashing.transform(chunk)
            hashed.sort_indices()
            self._file.write(hashed.indices.astype(np.int32).tobytes())
            sizes.append(np.diff(hashed.indptr).astype(np.int64))
            sums.append(_sums(hashed.indices, hashed.indptr))
        self.sizes = np.concatenate(sizes)
        self.ends = np.concatenate([[0], np.cumsum(self.sizes)])
        self.flat = self._file.array(np.int32)
        self.first = self._firsts(np.concatenate(sums))

    def __len__(self) -> int:
        return len(self.ends) - 1

    def rows(self, which: np.ndarray) -> sparse.csr_array:
        """Sets of some texts as a matrix of 0 and 1, (texts, `HASHES`)."""
        sizes = self.sizes[which]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        places = np.arange(ends[-1]) + np.repeat(self.ends[which] - ends[:-1], sizes)
        return sparse.csr_array((np.ones(ends[-1], np.int32), self.flat[places], ends), shape=(len(which), HASHES))

    def _firsts(self, sums: np.ndarray) -> np.ndarray:
        """As ``first``: texts with equal ``sums`` are compared shingle by shingle."""
        _, index, inverse = np.unique(sums, return_index=True, return_inverse=True)
        first, sizes = index[inverse], self.sizes
        others = np.flatnonzero((first != np.arange(len(self))) & (sizes == sizes[first]) & (sizes > 0))
        same = [others[:0]]
        for some in _chunks(others, sizes[others]):
            equal = self.rows(some).indices == self.rows(first[some]).indices
            starts = np.concatenate([[0], np.cumsum(sizes[some])[:-1]])
            same.append(some[np.logical_and.reduceat(equal, starts)])
        result, same = np.arange(len(self)), np.concatenate(same)
        result[same] = first[same]
        return result


def _sums(indices: np.ndarray, indptr: np.ndarray) -> np.ndarray:
    """A number for each set that tells nearly all different sets apart (the finalizer of splitmix64, summed)."""
    mixed = indices.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)])
    return total[indptr[1:]] - total[indptr[:-1]]  # modulo 2^64


def _links(
    left: _Sets, right: _Sets | None, similarity: float, is_open: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs (i of ``left``, j of ``right``) that reach the similarity, in chunks.

    Only the first of texts with one set is looked at. Without ``right``, j is of ``left`` and above i. Pairs that are
    not ``is_open``, which may change on the way, are left out.
    """
    sides = [left] if right is None else [left, right]
    total = sum(len(side.flat) for side in sides)
    counters = np.zeros(min(COUNTERS, 2 ** (4 * total + 1).bit_length()), np.uint32)
    for side in sides:
        for start in range(0, len(side.flat), CHUNK):
            np.add.at(counters, side.flat[start : start + CHUNK] % len(counters), 1)
    parts = 1 + total // PART
    entries = [_prefixes(side, counters, similarity, parts) for side in sides]
    other = sides[-1]
    for files in zip(*entries, strict=True):
        (i, mine), (j, theirs) = (files[side].array(np.int32).reshape(-1, 2).T for side in (0, -1))
        order = np.argsort(theirs, kind="stable")
        j, theirs = j[order], theirs[order]
        begin, counts = np.searchsorted(theirs, mine), np.searchsorted(theirs, mine, "right")
        counts -= begin
        for some in _chunks(np.arange(len(i)), counts):
            a = np.repeat(i[some], counts[some]).astype(np.int64)
            ends = np.cumsum(counts[some])
            b = j[np.arange(len(a)) + np.repeat(begin[some] - ends + counts[some], counts[some])].astype(np.int64)
            less, more = np.sort([left.sizes[a], other.sizes[b]], axis=0)
            fitting = (less >= similarity * more - ROUNDING) & is_open(a, b) & ((a < b) | (right is not None))
            a, b = np.divmod(np.unique(a[fitting] * len(other) + b[fitting]), len(other))
            yield from _near(left, other, a, b, similarity)


def _near(left: _Sets, other: _Sets, a: np.ndarray, b: np.ndarray, similarity: float) -> Iterator[tuple]:
    """The pairs of ``a`` of ``left`` and ``b`` of ``other`` that reach the similarity, in chunks."""
    sizes = left.sizes[a], other.sizes[b]
    for some in _chunks(np.arange(len(a)), sum(sizes)):
        shared = left.rows(a[some]).multiply(other.rows(b[some])).sum(axis=1)
        near = some[shared / (sizes[0][some] + sizes[1][some] - shared) >= similarity]
        yield a[near], b[near]


def _prefixes(sets: _Sets, counters: np.ndarray, similarity: float, parts: int) -> list[Spill]:
    """The rarest shingles of each text: so many that every pair that reaches the similarity shares one of them.

    Such a pair shares at least ceil(similarity * size) shingles, so one fewer than that can be left out. Any order of
    all shingles would do; by how often each is counted, few texts are compared that are not alike. A shingle that is
    counted once is shared by nobody.

    Returns:
        (text, shingle) int32 by turns, in files; a shingle is always in the same one of the ``parts``.
    """
    files = [Spill(1 + IN_MEMORY // parts) for _ in range(parts)]
    looked_at = np.flatnonzero(sets.first == np.arange(len(sets)))
    for some in _chunks(looked_at, sets.sizes[looked_at]):
        rows = sets.rows(some)
        sizes = np.diff(rows.indptr)
        text, shingle = np.repeat(some, sizes), rows.indices
        counts = counters[shingle % len(counters)]
        order = np.lexsort((shingle, counts, text))
        least = np.ceil(similarity * sizes - ROUNDING).astype(np.int64)
        place = np.arange(len(text)) - np.repeat(rows.indptr[:-1], sizes)
        chosen = order[(place <= np.repeat(sizes - least, sizes)) & (counts[order] > 1)]
        entries = np.stack([text[chosen], shingle[chosen]], axis=1).astype(np.int32)
        part = entries[:, 1] % parts
        for number, file in enumerate(files):
            file.write(entries[part == number].tobytes())
    return files


def _chunks(which: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """Split ``which`` so that the weights of a part sum to about `CHUNK` at most, or it is one item."""
    if not len(which):
        return []
    total = np.cumsum(weights)
    return np.split(which, np.flatnonzero(np.diff(total // CHUNK)) + 1)
