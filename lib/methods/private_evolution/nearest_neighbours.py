"""Exact nearest neighbours among few candidates, for many vectors that need not fit in memory.

A matrix product scores all pairs; a bound on its rounding error says which candidates could still be among the nearest,
and these few are measured in float64. So the result is that of float64 over all pairs, at the cost of float32; or of
bfloat16, where the processor multiplies it several times faster and its wider bound leaves few contenders.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from lib.common.errors import DoppelError
from lib.models.loading import Device, resolve_device, resolve_dtype

CHUNK_BYTES = {"cpu": 4 * 2**20, "cuda": 256 * 2**20}  # of scores: what the caches of a few cores hold; a card's share
GROUPS = 64  # candidates are searched by groups: one pass over all scores finds the least of each
FEW = 2.5  # contenders a vector, beyond its k, that rough scores may leave: measuring more costs what they save
_UNIT = 2.0**-24  # float32 rounds to within this part of a number
_LARGEST = 1e15  # length of a vector whose squares and products stay far inside float32


def nearest(
    private: np.ndarray,
    candidates: np.ndarray,
    k: int,
    *,
    rows: np.ndarray | None = None,
    device: Device = "auto",
    chunk_bytes: int | None = None,
) -> np.ndarray:
    """The k nearest candidates of each vector by Euclidean distance, nearest first: int32 of shape (n, min(k, m)).

    Distances are those of float64, sum of (x - c)^2; equal ones go to the lower index. Where there are no more than k
    candidates, all are returned. Memory beyond the arguments and the result is a few times ``chunk_bytes``.

    Args:
        private: float32 (n, width), possibly memory-mapped: it is read in chunks.
        candidates: float32 (m, width), m at least 1.
        k: at least 1.
        rows: int (n,), the vectors to search for; None for all.
        chunk_bytes: largest matrix of scores; by default what fits the caches, or a share of the card's memory.

    Raises DoppelError for shapes that do not fit, no candidates, k below 1, and vectors that are not finite (or
    longer than 1e15, which float32 could not square safely).
    """
    _check(private, candidates, k)
    place = resolve_device(device)
    found = np.empty((len(private) if rows is None else len(rows), min(k, len(candidates))), np.int32)
    with torch.inference_mode(), _products("ieee"):
        budget = chunk_bytes or CHUNK_BYTES[place.type]
        search = _Search(candidates, found.shape[1], place, budget)
        step = max(1, budget // (4 * search.columns))
        for start in range(0, len(found), step):
            part = slice(start, start + step)
            chunk = np.array(private[part] if rows is None else private[rows[part]], np.float32)
            found[part] = search(torch.from_numpy(chunk).to(place)).cpu().numpy()
    return found


class _Search:
    """Candidates made ready: moved to their mean, which changes no distance and keeps the rounding errors small."""

    def __init__(self, candidates: np.ndarray, k: int, device: torch.device, budget: int):
        self.exact = torch.from_numpy(np.array(candidates, np.float32)).to(device)
        count, self.width = self.exact.shape
        self.k, self.groups = k, max(k, min(GROUPS, count))
        self.center = self.exact.double().mean(0).float()
        moved = self.exact - self.center
        self.radius = float(_lengths(moved, "candidate").max())
        spare = -count % self.groups  # columns that are never near fill the groups
        self.columns = count + spare
        self.moved = torch.nn.functional.pad(moved, (0, 0, 0, spare)).T
        self.rough, self.lost = None, 0.0
        if _rough_pays(device):
            self.rough = _rounded(self.moved)
            self.lost = float(_lengths((self.moved - self.rough).T, "candidate").max())
        half = moved.double().square().sum(1) / 2
        self.half = torch.nn.functional.pad(half.float(), (0, spare), value=torch.inf)
        self.pairs = max(1, budget // (3 * 8 * self.width))  # measured at a time

    def __call__(self, vectors: torch.Tensor) -> torch.Tensor:
        """Indices of the k nearest of each vector, (r, k)."""
        rows, columns = self._contenders(vectors - self.center)
        contenders = torch.bincount(rows, minlength=len(vectors))
        found = torch.empty(len(vectors), self.k, dtype=torch.int64, device=vectors.device)
        if self.k == 1:  # a lone contender has won; with more places than one, their order is still open
            found[rows, 0] = columns
            unsettled = contenders > 1
            of_unsettled = unsettled[rows]
            rows, columns, contenders = rows[of_unsettled], columns[of_unsettled], contenders[unsettled]
        else:
            unsettled = slice(None)
        if len(rows):
            found[unsettled] = self._ranked(vectors, rows, columns, contenders)
        return found

    def _contenders(self, moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows, ascending, and columns of the pairs that may be among their row's k nearest.

        With every score within E of the exact one, k candidates lie at or below v + E, v the k-th least score, and
        any of the k nearest is scored at most v + 2E. The k-th least of the groups' minima is at least v.
        """
        scores, error = self._scores(moved)
        grouped = scores.view(len(moved), -1, self.groups)
        minima = grouped.amin(1)
        least = minima.amin(1) if self.k == 1 else minima.kthvalue(self.k, dim=1).values
        limit = least + 2 * error
        rows, groups = (minima <= limit[:, None]).nonzero(as_tuple=True)
        pair, place = (grouped[rows, :, groups] <= limit[rows, None]).nonzero(as_tuple=True)
        if self.rough is not None and len(pair) > (self.k + FEW) * len(moved):
            self.rough = None  # from now on: these vectors lie too close together
        return rows[pair], place * self.groups + groups[pair]

    def _scores(self, moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(|x - c|^2 - |x|^2) / 2 of all pairs, (r, columns), and E, (r,): by how much those of a row may be off.

        A dot product of `width` terms and one addend, summed in any order, errs by (width + 2) units of |x||c| +
        |c|^2/2 (Higham 2002, section 3.1); moving x and c, rounding |c|^2/2 and the limit add fewer than 14. E covers
        float64's own errors, too. Rough scores have x and c rounded to bfloat16, so that their products are exact in
        float32 whichever way the processor takes; what the rounding lost of x and c is measured.
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
        """The k nearest of each row that has contenders, measured in float64: by distance, then index."""
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


def _lengths(vectors: torch.Tensor, what: str) -> torch.Tensor:
    """Upper bounds of the vectors' lengths, (r,); never below what float32's underflow could hide."""
    width = vectors.shape[1]
    lengths = torch.linalg.vector_norm(vectors, dim=1) * (1 + width * 2.0**-22) + 1e-15 * width
    if not bool((lengths < _LARGEST).all()):  # NaN is not below it
        raise DoppelError(
            f"a {what} vector is not finite, or {_LARGEST:g} or more from the candidates' mean; "
            "embed the texts again with an encoder that gives finite vectors"
        )
    return lengths


def _rough_pays(device: torch.device) -> bool:
    return device.type == "cpu" and resolve_dtype("auto", device) == torch.bfloat16


def _rounded(vectors: torch.Tensor) -> torch.Tensor:
    """The nearest numbers of bfloat16, as float32."""
    return vectors.bfloat16().float()


@contextmanager
def _products(precision: str) -> Iterator[None]:
    """Matrix products of float32 in that precision, whatever the program has set: the error bounds rest on it."""
    switches = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)
    before = [switch.fp32_precision for switch in switches]
    try:
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        torch.backends.mkldnn.matmul.fp32_precision = precision
        yield
    finally:
        for switch, one in zip(switches, before, strict=True):
            switch.fp32_precision = one


def _check(private: np.ndarray, candidates: np.ndarray, k: int) -> None:
    if k < 1:
        raise DoppelError(f"k is {k}, it must be at least 1")
    if private.ndim != 2 or candidates.ndim != 2 or private.shape[1] != candidates.shape[1] or not private.shape[1]:
        raise DoppelError(
            f"private vectors of shape {private.shape} and candidates of shape {candidates.shape}: both must be tables "
            "of vectors of one width; embed both with the same encoder"
        )
    if not len(candidates):
        raise DoppelError("there are no candidates; at least 1 is needed")
