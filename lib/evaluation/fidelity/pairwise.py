"""Two sets of embeddings: checked at the door, and their distances in blocks of bounded memory."""

from collections.abc import Iterator

import numpy as np

from lib.common.errors import DoppelError

BLOCK_BYTES = 8 * 2**20  # of one block of distances: it stays in a CPU's cache
MEDIAN_OVER = 2000  # records whose distances give `median_distance`


def checked(metric: str, real: np.ndarray, synthetic: np.ndarray, *, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as arrays (n, d) and (m, d).

    Raises:
        DoppelError: not two tables of the same width, fewer than ``least`` records, or a value that is not finite.
    """
    sides = {"real": np.asarray(real), "synthetic": np.asarray(synthetic)}
    for name, side in sides.items():
        if side.ndim != 2 or side.dtype.kind not in "fiu" or side.shape[1] == 0:
            raise DoppelError(f"{metric}: {name} has shape {side.shape} of {side.dtype}; give (records, d) of numbers")
        if len(side) < least:
            raise DoppelError(f"{metric}: {name} has {len(side)} records, it needs at least {least}; add records")
        if not np.isfinite(side).all():
            bad = int((~np.isfinite(side).all(axis=1)).sum())
            raise DoppelError(f"{metric}: {bad} of {len(side)} {name} embeddings are not finite; embed them again")
    if sides["real"].shape[1] != sides["synthetic"].shape[1]:
        widths = sides["real"].shape[1], sides["synthetic"].shape[1]
        raise DoppelError(f"{metric}: real has d = {widths[0]}, synthetic d = {widths[1]}; use one encoder for both")
    return sides["real"], sides["synthetic"]


def centred(
    metric: str, real: np.ndarray, synthetic: np.ndarray, *, least: int, dtype: type = np.float32
) -> tuple[np.ndarray, np.ndarray]:
    """Both sets, `checked`, moved by the mean of ``real``: differences of squares near the origin keep their digits."""
    sides = checked(metric, real, synthetic, least=least)
    centre = sides[0].mean(axis=0, dtype=np.float64)
    return tuple((side - centre).astype(dtype) for side in sides)


def positive(name: str, value: float) -> float:
    """A length in the embedding's unit, refused unless it is above 0 and finite."""
    if not 0 < value < np.inf:
        raise DoppelError(f"{name} = {value} must be above 0 and finite; leave it out for one from the real records")
    return value


def squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances from ``a`` (n, d) to ``b`` (m, d), as rows of ``a`` and their block (rows, m).

    What rounding cannot tell from 0 is 0, so equal records are at distance 0. The block is the caller's to overwrite:
    the next one uses the same memory.
    """
    rows = max(1, min(len(a), BLOCK_BYTES // (len(b) * a.itemsize)))
    left, right = (np.einsum("ij,ij->i", side, side) for side in (a, b))
    rounding = 16 * np.finfo(a.dtype).eps * (left.max() + right.max())
    memory = np.empty((rows, len(b)), a.dtype)
    for start in range(0, len(a), rows):
        part = slice(start, min(start + rows, len(a)))
        block = np.matmul(a[part] * -2, b.T, out=memory[: part.stop - start])
        block += left[part, None]
        block += right
        block[block < rounding] = 0
        yield part, block


def median_distance(vectors: np.ndarray) -> float:
    """Median Euclidean distance between two records of (n, d), over at most `MEDIAN_OVER` evenly spaced records.

    It is the unit in which kernels and blurs are stated. Raises DoppelError where it is 0.
    """
    some = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), MEDIAN_OVER)).astype(int)]
    squares = np.concatenate([block.copy() for _, block in squared_distances(some, some)])
    median = float(np.median(np.sqrt(squares[np.triu_indices(len(some), 1)])))
    if median == 0:
        raise DoppelError(
            f"more than half of the {len(some)} real records share one embedding, so their median distance is 0 and "
            "no scale for a kernel or a blur; remove duplicates from the real records"
        )
    return median
