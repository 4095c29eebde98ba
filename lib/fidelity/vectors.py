"""Two sets of embeddings: checked at the door, and their distances in blocks of bounded memory."""

from collections.abc import Iterator

import numpy as np

from lib.errors import DoppelError

BLOCK_BYTES = 64 * 2**20  # of one block of float32 distances


def checked(
    metric: str, real: np.ndarray, synthetic: np.ndarray, *, least: int, dtype: type = np.float64
) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as (n, d) and (m, d) arrays, moved by the mean of ``real``.

    No metric here changes when both sets move together; near the origin, differences of squares keep their digits.

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
            raise DoppelError(
                f"{metric}: {bad} of {len(side)} {name} embeddings are not finite; embed these texts again"
            )
    if sides["real"].shape[1] != sides["synthetic"].shape[1]:
        widths = sides["real"].shape[1], sides["synthetic"].shape[1]
        raise DoppelError(f"{metric}: real has d = {widths[0]}, synthetic d = {widths[1]}; use one encoder for both")
    centre = sides["real"].mean(axis=0, dtype=np.float64)
    return tuple((side - centre).astype(dtype) for side in sides.values())


def squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances from ``a`` (n, d) to ``b`` (m, d), as rows of ``a`` and their block (rows, m).

    The block is the caller's to overwrite: the next one uses the same memory.
    """
    rows = max(1, min(len(a), BLOCK_BYTES // (len(b) * a.itemsize)))
    left, right = (np.einsum("ij,ij->i", side, side) for side in (a, b))
    memory = np.empty((rows, len(b)), a.dtype)
    for start in range(0, len(a), rows):
        part = slice(start, min(start + rows, len(a)))
        block = np.matmul(a[part], b.T, out=memory[: part.stop - start])
        block *= -2
        block += left[part, None]
        block += right
        yield part, np.maximum(block, 0, out=block)
