"""Exact nearest neighbours among few candidates, for many vectors that need not fit in memory.

A matrix product scores all pairs. A bound on its rounding error says which candidates could still be among the nearest,
and only those are measured in float64. So the result is that of float64 over all pairs, at the cost of float32; or at
that of bfloat16, where the processor multiplies it several times faster and its wider bound leaves few contenders.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from lib.common.errors import DoppelError
from lib.models.loading import Device, resolve_device, resolve_dtype

CHUNK_BYTES = {"cpu": 4 * 2**20, "cuda": 256 * 2**20}  # of scores: what fits the caches of a few cores; a part of a GPU
GROUPS = 64  # of candidates: one pass over all scores finds the least score of each group
FEW = 2.5  # contenders a vector, beyond its k, that rough scores may leave; measuring more would cost what they save
_UNIT = 2.0**-24  # largest relative error of rounding to float32
_LARGEST = 1e15  # a shorter vector's squares and products stay far inside the range of float32


def nearest(
    private: np.ndarray,
    candidates: np.ndarray,
    k: int,
    *,
    rows: np.ndarray | None = None,
    device: Device = "auto",
    chunk_bytes: int | None = None,
) -> np.ndarray:
    """The k nearest candidates of each vector by Euclidean distance.

    A row of the result depends on that vector and the candidates alone. Distances are those of float64, the sum of
    (x - c)^2; of equally near candidates the one with the lower index comes first. Beyond the arguments and the result
    it takes a few times ``chunk_bytes`` of memory.

    Args:
        private: the vectors, float32, shape (n, width); may be memory-mapped, since they are read in chunks.
        candidates: float32, shape (m, width), m at least 1.
        k: how many candidates to find for each vector, at least 1.
        rows: indices of the vectors to search for, int, shape (r,); None: all n.
        device: where to compute: "auto" (a GPU where there is one), "cpu" or "cuda".
        chunk_bytes: largest size of a matrix of scores, in bytes; None: what fits the caches, or a part of the GPU.

    Returns:
        Indices of the candidates, the nearest first, int32, shape (r, min(k, m)), or (n, min(k, m)) without ``rows``.

    Raises:
        DoppelError: the shapes do not fit together, there are no candidates, ``k`` is below 1, or a vector is not
            finite or lies 1e15 or more from the candidates' mean, so that float32 could not square it safely.
    """
    _check(private, candidates, k)
    place = resolve_device(device)
    indices = np.empty((len(private) if rows is None else len(rows), min(k, len(candidates))), np.int32)
    with torch.inference_mode(), _products("ieee"):
        budget = chunk_bytes or CHUNK_BYTES[place.type]
        search = _Search(candidates, indices.shape[1], place, budget)
        step = max(1, budget // (4 * search.columns))
        for start in range(0, len(indices), step):
            span = slice(start, start + step)
            chunk = np.array(private[span] if rows is None else private[rows[span]], np.float32)
            indices[span] = search(torch.from_numpy(chunk).to(place)).cpu().numpy()
    return indices


class _Search:
    """Candidates prepared for a search: moved by their mean, which keeps distances and makes rounding errors small."""

    def __init__(self, candidates: np.ndarray, k: int, device: torch.device, budget: int):
        self.exact = torch.from_numpy(np.array(candidates, np.float32)).to(device)
        count, self.width = self.exact.shape
        self.k, self.groups = k, max(k, min(GROUPS, count))
        self.center = self.exact.double().mean(0).float()
        moved = self.exact - self.center
        self.radius = float(_lengths(moved, "candidate").max())
        spare = -count % self.groups  # columns that are never near, to fill the groups
        self.columns = count + spare
        self.moved = torch.nn.functional.pad(moved, (0, 0, 0, spare)).T
        self.rough, self.lost = None, 0.0
        if _rough_pays(device):
            self.rough = _rounded(self.moved)
            self.lost = float(_lengths((self.moved - self.rough).T, "candidate").max())
        half = moved.double().square().sum(1) / 2
        self.half = torch.nn.functional.pad(half.float(), (0, spare), value=torch.inf)
        self.pairs = max(1, budget // (3 * 8 * self.width))  # pairs that are measured at a time

    def __call__(self, vectors: torch.Tensor) -> torch.Tensor:
        """Indices of the k nearest candidates of each of r vectors, (r, k)."""
        rows, columns = self._contenders(vectors - self.center)
        contenders = torch.bincount(rows, minlength=len(vectors))
        indices = torch.empty(len(vectors), self.k, dtype=torch.int64, device=vectors.device)
        if self.k == 1:  # a single contender is the nearest; for a larger k the order is still open
            indices[rows, 0] = columns
            unsettled = contenders > 1
            of_unsettled = unsettled[rows]
            rows, columns, contenders = rows[of_unsettled], columns[of_unsettled], contenders[unsettled]
        else:
            unsettled = slice(None)
        if len(rows):
            indices[unsettled] = self._ranked(vectors, rows, columns, contenders)
        return indices

    def _contenders(self, moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows, ascending, and columns of all pairs that may be among their row's k nearest.

        Every score is within E of the exact value. Let v be the k-th least score. Then k candidates have exact values
        of at most v + E, so each of the k nearest has too, and its score is at most v + 2E. The k-th least of the
        groups' minima is at least v, so it may be used for v.
        """
        scores, error = self._scores(moved)
        grouped = scores.view(len(moved), -1, self.groups)
        minima = grouped.amin(1)
        least = minima.amin(1) if self.k == 1 else minima.kthvalue(self.k, dim=1).values
        limit = least + 2 * error
        rows, groups = (minima <= limit[:, None]).nonzero(as_tuple=True)
        pair, place = (grouped[rows, :, groups] <= limit[rows, None]).nonzero(as_tuple=True)
        if self.rough is not None and len(pair) > (self.k + FEW) * len(moved):
            self.rough = None  # from here on in float32, because these vectors lie too close together
        return rows[pair], place * self.groups + groups[pair]

    def _scores(self, moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (|x - c|^2 - |x|^2) / 2 of all pairs, (r, columns), and E, (r,): an upper bound on a row's errors.

        A dot product of `width` terms and one addend, summed in any order, errs by at most (width + 2) units of
        |x||c| + |c|^2/2 (Higham 2002, section 3.1). Moving x and c, rounding |c|^2/2, and rounding the limit add fewer
        than 14 units. E covers the errors of float64 as well. For rough scores x and c are rounded to bfloat16, so
        that their products are exact in float32 however the processor computes them; what this rounding loses of x and
        c is measured and added to E.
        """
        lengths = _lengths(moved, "private")
        error = (self.width + 16) * _UNIT * self.radius * (lengths + self.radius / 2)
        error += self.width * 2.0**-50 * (lengths + self.radius).square()
        if self.rough is None:
            return torch.addmm(self.half, moved, self.moved, alpha=-1), error
        rounded = _rounded(moved)
        lost = _lengths(moved - rounded, "private")
        with _products("bf16"):
            scores = torch.addmm(self.half, rounded, self.rough, alpha=-1)
        return scores, 1.02 * error + 1.01 * (lost * self.radius + lengths * self.lost)

    def _ranked(self, vectors, rows: torch.Tensor, columns: torch.Tensor, contenders: torch.Tensor) -> torch.Tensor:
        """The k nearest of each row that has contenders, measured in float64; sorted by distance, then by index."""
        distances = torch.cat(
            [
                (vectors[r].double() - self.exact[c].double()).square_().sum(1)
                for r, c in zip(rows.split(self.pairs), columns.split(self.pairs), strict=True)
            ]
        )
        order = columns.argsort(stable=True)
        for key in (distances, rows):
            order = order[key[order].argsort(stable=True)]
        first = contenders.cumsum(0) - contenders
        return columns[order[first[:, None] + torch.arange(self.k, device=first.device)]]


def _lengths(vectors: torch.Tensor, whose: str) -> torch.Tensor:
    """Upper bounds of the vectors' lengths, (r,); large enough to cover what underflow of float32 hides."""
    width = vectors.shape[1]
    lengths = torch.linalg.vector_norm(vectors, dim=1) * (1 + width * 2.0**-22) + 1e-15 * width
    if not bool((lengths < _LARGEST).all()):  # NaN is not below it
        raise DoppelError(
            "methods.vector_not_finite",
            f"a {whose} vector is not finite, or lies {_LARGEST:g} or more from the candidates' mean",
            name=whose,
            remedy="embed the texts again with an encoder that gives finite vectors",
        )
    return lengths


def _rough_pays(device: torch.device) -> bool:
    """Whether the processor multiplies bfloat16 so much faster that rough scores save time."""
    return device.type == "cpu" and resolve_dtype("auto", device) == torch.bfloat16


def _rounded(vectors: torch.Tensor) -> torch.Tensor:
    """The vectors rounded to bfloat16, as float32."""
    return vectors.bfloat16().float()


@contextmanager
def _products(precision: str) -> Iterator[None]:
    """Compute float32 matrix products in a precision, whatever the program has set: the error bounds rely on it."""
    switches = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)
    before = [switch.fp32_precision for switch in switches]
    try:
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        torch.backends.mkldnn.matmul.fp32_precision = precision
        yield
    finally:
        for switch, setting in zip(switches, before, strict=True):
            switch.fp32_precision = setting


def _check(private: np.ndarray, candidates: np.ndarray, k: int) -> None:
    if k < 1:
        raise DoppelError("methods.k_too_small", f"k is {k}, it must be at least 1", name="k", value=k)
    if private.ndim != 2 or candidates.ndim != 2 or private.shape[1] != candidates.shape[1] or not private.shape[1]:
        raise DoppelError(
            "methods.vector_shapes",
            f"private vectors of shape {private.shape} and candidates of shape {candidates.shape}: both must be tables "
            "of vectors of one width",
            name="candidates",
            value=candidates.shape,
            remedy="embed both with the same encoder",
        )
    if not len(candidates):
        raise DoppelError(
            "methods.no_candidates", "there are no candidates; at least 1 is needed", name="candidates", value=0
        )
