"""Two sets of embeddings: checks before they are compared, and their distances in blocks of bounded memory."""

from collections.abc import Iterator

import numpy as np

from lib.common.errors import DoppelError

BLOCK_BYTES = 8 * 2**20  # of one block of distances: it stays in a CPU's cache
MEDIAN_OVER = 2000  # records whose distances give `median_distance`


def checked(metric: str, real: np.ndarray, synthetic: np.ndarray, *, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as arrays (n, d) and (m, d), or a refusal.

    Args:
        metric: name of the metric, for the message.
        real: (n, d) of numbers.
        synthetic: (m, d) of numbers.
        least: records that each set needs.

    Raises:
        DoppelError: not two tables of the same width, fewer than ``least`` records, or a value that is not finite.
    """
    sides = {"real": np.asarray(real), "synthetic": np.asarray(synthetic)}
    for name, side in sides.items():
        if side.ndim != 2 or side.dtype.kind not in "fiu" or side.shape[1] == 0:
            raise DoppelError(
                "evaluation.no_embeddings",
                f"{metric}: {name} has shape {side.shape} of {side.dtype}",
                name=name,
                value=side.shape,
                remedy="give (records, d) of numbers",
            )
        if len(side) < least:
            raise DoppelError(
                "evaluation.too_few_embeddings",
                f"{metric}: {name} has {len(side)} records, it needs at least {least}",
                name=name,
                value=len(side),
                remedy="add records",
            )
        if not np.isfinite(side).all():
            bad = int((~np.isfinite(side).all(axis=1)).sum())
            raise DoppelError(
                "evaluation.embeddings_not_finite",
                f"{metric}: {bad} of {len(side)} {name} embeddings are not finite",
                name=name,
                value=bad,
                remedy="embed them again",
            )
    if sides["real"].shape[1] != sides["synthetic"].shape[1]:
        widths = sides["real"].shape[1], sides["synthetic"].shape[1]
        raise DoppelError(
            "evaluation.widths_differ",
            f"{metric}: real has d = {widths[0]}, synthetic d = {widths[1]}",
            name="synthetic",
            value=widths,
            remedy="use one encoder for both",
        )
    return sides["real"], sides["synthetic"]


def centred(
    metric: str, real: np.ndarray, synthetic: np.ndarray, *, least: int, dtype: type = np.float32
) -> tuple[np.ndarray, np.ndarray]:
    """Both sets, `checked`, less the mean of the real one: differences of squares near the origin keep their digits.

    Args:
        metric: as in `checked`, and so are ``real``, ``synthetic`` and ``least``.
        real: (n, d).
        synthetic: (m, d).
        least: records that each set needs.
        dtype: of the arrays that are returned.
    """
    sides = checked(metric, real, synthetic, least=least)
    centre = sides[0].mean(axis=0, dtype=np.float64)
    return tuple((side - centre).astype(dtype) for side in sides)


def positive(name: str, value: float) -> float:
    """The parameter ``name``, a length in the embedding's unit: its ``value``, refused unless above 0 and finite."""
    if not 0 < value < np.inf:
        raise DoppelError(
            "evaluation.not_a_length",
            f"{name} = {value} must be above 0 and finite",
            name=name,
            value=value,
            remedy="leave it out for one from the real records",
        )
    return value


def squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances between two sets, as rows of the first and their block (rows, m).

    A distance that rounding cannot tell from 0 is 0, so equal records are at distance 0. The caller may overwrite the
    block: the next one uses the same memory.

    Args:
        a: (n, d).
        b: (m, d), of the same dtype.
    """
    rows = max(1, min(len(a), BLOCK_BYTES // (len(b) * a.itemsize)))
    left, right = (np.einsum("ij,ij->i", side, side) for side in (a, b))
    rounding = 16 * np.finfo(a.dtype).eps * (left.max() + right.max())
    memory = np.empty((rows, len(b)), a.dtype)
    for start in range(0, len(a), rows):
        chosen = slice(start, min(start + rows, len(a)))
        block = np.matmul(a[chosen] * -2, b.T, out=memory[: chosen.stop - start])
        block += left[chosen, None]
        block += right
        block[block < rounding] = 0
        yield chosen, block


def median_distance(vectors: np.ndarray) -> float:
    """Median Euclidean distance between two records, over at most `MEDIAN_OVER` evenly spaced ones.

    It is the unit in which kernels and blurs are stated.

    Args:
        vectors: (n, d), at least 2 records.

    Raises:
        DoppelError: the median is 0.
    """
    sample = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), MEDIAN_OVER)).astype(int)]
    squares = np.concatenate([block.copy() for _, block in squared_distances(sample, sample)])
    median = float(np.median(np.sqrt(squares[np.triu_indices(len(sample), 1)])))
    if median == 0:
        raise DoppelError(
            "evaluation.median_distance_zero",
            f"more than half of the {len(sample)} real records share one embedding, so their median distance is 0, "
            "which is no scale for a kernel or a blur",
            name="real",
            value=len(sample),
            remedy="remove duplicates from the real records",
        )
    return median
