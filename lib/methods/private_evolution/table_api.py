"""What makes rows for private evolution: uniform draws over a declared domain, and mutations of them (Tab-PE).

An item is the text of a row (`lib.data.tables.domain.as_text`), so rows are kept and recorded as texts are. No model is
needed.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from lib.data.private_text import PrivateText
from lib.data.tables.domain import Column, Value, as_text, from_text
from lib.generation.generate import Draws
from lib.methods.private_evolution.drawn import Drawn
from lib.methods.private_evolution.modality import Labels, Modality, Progress, text_modality

MISSING = 0.1  # the chance that a cell which may be empty is drawn empty
NUDGED = 0.5  # of the numbers that a mutation changes: moved a little, and not drawn anew


class TableApi(Drawn[str]):
    """RANDOM_API and VARIATION_API over a declared domain.

    Args:
        columns: the domain.
        seed: of all draws.
    """

    def __init__(self, columns: Sequence[Column], seed: int):
        super().__init__(seed)
        self.columns, self.fingerprint = columns, _digest(columns)

    def random(self, labels: Sequence[Labels], *stream: int, progress: Progress = lambda made: None) -> Draws[str]:
        """As `lib.methods.private_evolution.modality.Api.random`; a cell whose label is given has that value."""

        def make(position: int, rng: np.random.Generator) -> str:
            row = {column.name: draw(column, rng) for column in self.columns}
            return as_text(row | dict(labels[position]))

        return self._each(make, len(labels), stream, progress)

    def vary(
        self,
        parents: Sequence[str],
        labels: Sequence[Labels],
        *stream: int,
        degree: float | None = None,
        shown: None = None,
        progress: Progress = lambda made: None,
    ) -> Draws[str]:
        """As `lib.methods.private_evolution.modality.Api.vary`.

        ``degree``, in [0, 1], is the chance of each cell to change. A number is then drawn anew, or moved by a normal
        step whose standard deviation is ``degree`` of its range. Labels never change.
        """

        def make(position: int, rng: np.random.Generator) -> str:
            row = from_text(parents[position])
            changed = {c.name: mutated(c, row[c.name], degree, rng) for c in self.columns if rng.random() < degree}
            return as_text(row | changed | dict(labels[position]))

        return self._each(make, len(parents), stream, progress)


class TableEncoder:
    """Rows as vectors: numbers from 0 to 1, categories as unit vectors, both so that the largest gap of a cell is 1.

    A missing cell is at least as far from every value as two values can be from each other.

    Args:
        columns: the domain.
    """

    def __init__(self, columns: Sequence[Column]):
        self.columns, self.fingerprint = columns, f"table {_digest(columns)}"

    def encode(self, rows: Sequence[str | PrivateText]) -> np.ndarray:
        """Vectors of n rows, as text: float32, shape (n, width). A vector depends on its own row alone."""
        plain = [from_text(row.reveal() if isinstance(row, PrivateText) else row) for row in rows]
        parts = [_encoded(column, [row[column.name] for row in plain]) for column in self.columns]
        return np.concatenate(parts, axis=1).astype(np.float32)


def draw(column: Column, rng: np.random.Generator) -> Value:
    """A value of a column, each with equal chance; empty with chance `MISSING` where that is declared."""
    if column.missing and rng.random() < MISSING:
        return None
    if not column.is_number:
        return column.values[rng.integers(len(column.values))]
    return column.rounded(rng.uniform(column.low, column.high))


def mutated(column: Column, value: Value, degree: float, rng: np.random.Generator) -> Value:
    """Another value for a cell of a ``column``, see `TableApi.vary`."""
    if column.is_number and value is not None and rng.random() < NUDGED:
        return column.rounded(value + degree * (column.high - column.low) * rng.normal())
    return draw(column, rng)


def table_modality(columns: Sequence[Column], seed: int) -> Modality[str]:
    """Rows of a declared domain, as private evolution takes them; arguments as `TableApi` has them."""
    return text_modality(TableApi(columns, seed), TableEncoder(columns), cached=False)


def _encoded(column: Column, values: Sequence[Value]) -> np.ndarray:
    """The vectors of one column's values, (n, width)."""
    empty = np.array([value is None for value in values], float)[:, None]
    if column.is_number:
        span = column.high - column.low
        scaled = np.array([[0.0 if value is None else (value - column.low) / span] for value in values])
        return np.concatenate([scaled, empty], axis=1) if column.missing else scaled
    places = [*column.values, *([None] if column.missing else [])]
    return np.array([[value == place for place in places] for value in values], float) / 2**0.5


def _digest(columns: Sequence[Column]) -> str:
    return hashlib.sha256(repr([*columns, MISSING, NUDGED]).encode()).hexdigest()
