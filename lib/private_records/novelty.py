"""How much a text adds to the diversity of those before it: its gain in Vendi score (Friedman & Dieng 2023)."""

from collections import deque
from collections.abc import Iterable

import numpy as np

from lib.evaluation.fidelity.diversity import vendi_score_of


class Sample:
    """Some of the records before a block, with their similarities; all records of the block are held against it.

    Args:
        rows: embeddings of length 1, (m, d); any shape without rows where there are none.
    """

    def __init__(self, rows: np.ndarray):
        self.rows = np.asarray(rows, np.float64)
        self._gram = self.rows @ self.rows.T

    def __len__(self) -> int:
        return len(self.rows)

    def vendi(self, embedding: np.ndarray) -> float:
        """Vendi score of the sample with one text more, in [1, m + 1].

        One symmetric eigenvalue problem of size m + 1; the m x m similarities are those of the sample, kept. What a
        text gains over another in its place is the difference of two of these.

        Args:
            embedding: of the text, of length 1, (d,).
        """
        if not len(self):
            return 1.0
        column = self.rows @ embedding.astype(np.float64)
        gram = np.block([[self._gram, column[:, None]], [column[None, :], np.ones((1, 1))]])
        return vendi_score_of(gram, len(gram))


class History:
    """Embeddings of all records that were written, of which the last ones count.

    Args:
        window: how many of the last, at least 1.
        sample: how many of these at most are drawn for a block, at least 1.
    """

    def __init__(self, window: int, sample: int):
        self._last: deque[np.ndarray] = deque(maxlen=window)
        self._size = sample

    def add(self, embeddings: Iterable[np.ndarray]) -> None:
        """Add the records of a finished block, revised or not.

        Args:
            embeddings: of length 1, (d,) each, in the order of the records.
        """
        self._last.extend(embeddings)

    def draw(self, seed: int) -> Sample:
        """A sample without repeats; all of the window where it has no more.

        Args:
            seed: of the draw.
        """
        rows = np.array(self._last)
        if len(rows) > self._size:
            rows = rows[np.sort(np.random.default_rng(seed).permutation(len(rows))[: self._size])]
        return Sample(rows)


def unit(embedding: np.ndarray) -> np.ndarray:
    """An embedding with length 1, as float32; a zero vector stays zero.

    Args:
        embedding: (d,).
    """
    embedding = np.asarray(embedding, np.float32)
    return embedding / max(float(np.linalg.norm(embedding)), np.finfo(np.float32).tiny)
