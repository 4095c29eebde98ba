"""Labels: their declared domain as cells, the histogram over it, and draws from its noisy counts.

A cell is one combination of the listed labels. Labels whose values are a public catalogue's (product
titles, say) are no part of the histogram; they are drawn from the catalogue, which no review enters.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

import numpy as np

from lib.common.errors import DoppelError
from lib.data.records import CATALOGUE, Record

MAX_CELLS = 100_000  # beyond, most cells hold noise alone

Domain = Mapping[str, Sequence[str] | str]


def cells(domain: Domain) -> list[dict[str, str]]:
    """Every combination of the listed labels, in the order of the declaration; one empty cell without labels."""
    listed = {name: list(values) for name, values in domain.items() if values != CATALOGUE}
    for name, values in listed.items():
        if isinstance(domain[name], str) or not values or len(set(values)) < len(values):
            raise DoppelError(f"label_domain: {name!r} must be a list of different values, or {CATALOGUE!r}")
    if (count := prod(map(len, listed.values()))) > MAX_CELLS:
        raise DoppelError(f"label_domain: {count:,} combinations of labels, at most {MAX_CELLS:,}; merge values")
    return [dict(zip(listed, values, strict=True)) for values in product(*listed.values())]


def clean_counts(records: Sequence[Record], domain: Domain, *, unit: str) -> list[int]:
    """Units in each of `cells`: private, for the noise alone, never to be written or shown.

    A record counts once in its cell. A user counts once too, in the cell of the user's record with the
    smallest id: whatever else the user wrote, adding or removing a user changes one count by one.
    """
    if unit == "user":
        first: dict[str, Record] = {}
        for record in records:
            if record.owner not in first or record.id < first[record.owner].id:
                first[record.owner] = record
        records = list(first.values())
    table = cells(domain)
    names = list(table[0])
    counts = Counter(tuple(record.labels[name] for name in names) for record in records)
    return [counts[tuple(cell.values())] for cell in table]


def cell_numbers(records: Sequence[Record], table: Sequence[Mapping[str, str]]) -> np.ndarray:
    """The number of each record's cell in ``table`` (see `cells`), shape (records,). Private."""
    names = list(table[0])
    number = {tuple(cell.values()): i for i, cell in enumerate(table)}
    return np.array([number[tuple(record.labels[name] for name in names)] for record in records], dtype=int)


def probabilities(noisy_counts: Sequence[int]) -> np.ndarray:
    """Shares of the cells, shape (cells,), summing to 1: negative counts are zero; all zero means equal shares."""
    kept = np.maximum(np.asarray(noisy_counts, dtype=float), 0)
    return kept / kept.sum() if kept.sum() else np.full(len(kept), 1 / len(kept))


def draw(
    histogram: Mapping, catalogue: Sequence[Mapping[str, str]], samples: int, rng: np.random.Generator
) -> list[dict[str, str]]:
    """Labels for ``samples`` records: a cell by its noisy share, and a row of the public catalogue where there is one.

    Args:
        histogram: what 00_process_data wrote: ``cells`` (list of labels) and ``noisy_counts``.
    """
    picked = rng.choice(len(histogram["cells"]), size=samples, p=probabilities(histogram["noisy_counts"]))
    rows = rng.integers(len(catalogue), size=samples) if catalogue else None
    return [
        {**histogram["cells"][cell], **(catalogue[rows[i]] if rows is not None else {})}
        for i, cell in enumerate(picked)
    ]
