"""Labels: the cells of their declared domain, the histogram over these cells, and draws from its noisy counts.

A cell is one combination of the labels whose values are listed. A label whose values come from a public catalogue
(product titles, say) is not part of the histogram; its values are drawn from the catalogue, which no review enters. A
record's topic is one more listed label, where the corpus has topics (`lib.models.topics`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod

import numpy as np

from lib.common.errors import DoppelError
from lib.data.hash_order import rank
from lib.data.records import CATALOGUE, Domain, Record
from lib.data.spelling import spelled

MAX_CELLS = 100_000  # with more, most cells hold only noise
TOPIC = "topic"  # the label that `lib.models.topics` adds


def cells(domain: Domain) -> list[dict[str, str]]:
    """Every combination of the listed labels, in the order in which they are declared.

    Args:
        domain: label name -> its different values, or `CATALOGUE` for a label of the public catalogue.

    Returns:
        a dict label name -> value for each cell; one empty dict where no label is listed.

    Raises:
        DoppelError: for values that are not a list of different values, and for more than `MAX_CELLS` cells.
    """
    listed = {name: list(values) for name, values in domain.items() if values != CATALOGUE}
    for name, values in listed.items():
        if isinstance(domain[name], str) or not values or len(set(map(spelled, values))) < len(values):
            raise DoppelError(
                "data.domain_values",
                f"label_domain: {name!r} must be a list of different values, or {CATALOGUE!r}",
                name="label_domain",
                value=name,
                remedy="'1' and '1.0' are one value, 'True' and 'true' too",
            )
    if (count := prod(map(len, listed.values()))) > MAX_CELLS:
        raise DoppelError(
            "data.domain_too_large",
            f"label_domain: {count:,} combinations of labels, at most {MAX_CELLS:,}",
            name="label_domain",
            value=count,
            remedy="merge values",
        )
    return [dict(zip(listed, values, strict=True)) for values in product(*listed.values())]


def declared(corpus: Mapping) -> Domain:
    """The labels that the records of a corpus stage have, before it runs.

    Args:
        corpus: parameters of the stage: ``label_domain``; ``topics``, the number of topics, or None.

    Returns:
        The label domain; with topics, `TOPIC` too, whose values are numbered: their names are not known yet.

    Raises:
        DoppelError: there are topics, and the domain has a label of that name.
    """
    domain, topics = corpus["label_domain"], corpus.get("topics")
    if topics is None:
        return domain
    if TOPIC in domain:
        raise DoppelError(
            "data.topic_taken",
            f"topics = {topics}: label_domain has a label named {TOPIC!r} already",
            name="topics",
            value=topics,
            remedy="set topics: null, or give that label another name",
        )
    return {**domain, TOPIC: [f"topic {number}" for number in range(1, topics + 1)]}


def clean_counts(records: Iterable[Record], domain: Domain, *, unit: str) -> list[int]:
    """Units in each of `cells`, without noise: private, for the noise alone, never to be written or shown.

    L1 and L2 sensitivity are 1 under adding or removing one unit. A record counts once, in its cell. A user counts
    once too, in the cell of that record of the user whose hash is smallest, whatever else the user wrote.

    Args:
        records: the private records, all their labels within ``domain``.
        domain: as in `cells`.
        unit: ``record`` or ``user``, the unit of the guarantee.

    Returns:
        a count for each cell, in the order of `cells`.
    """
    table = cells(domain)
    names = list(table[0])
    if unit == "user":
        least: dict[str, tuple[int, tuple[str, ...]]] = {}
        for record in records:
            place = rank(0, "histogram", record.content), tuple(record.labels[name] for name in names)
            least[record.owner] = min(place, least.get(record.owner, place))
        counts = Counter(cell for _, cell in least.values())
    else:
        counts = Counter(tuple(record.labels[name] for name in names) for record in records)
    return [counts[tuple(cell.values())] for cell in table]


def cell_numbers(records: Sequence[Record], table: Sequence[Mapping[str, str]]) -> np.ndarray:
    """The number of each record's cell. Private.

    Args:
        records: the records, all their labels within the domain.
        table: what `cells` gives.

    Returns:
        integers in [0, len(table)), shape (records,).
    """
    return numbers_of((record.labels for record in records), table)


def numbers_of(wanted: Iterable[Mapping[str, str]], table: Sequence[Mapping[str, str]]) -> np.ndarray:
    """The number of each label set's cell.

    Args:
        wanted: label name -> value; may have labels of the catalogue too.
        table: what `cells` gives.

    Returns:
        integers in [0, len(table)), shape (label sets,).

    Raises:
        KeyError: a label set is of no cell.
    """
    names = list(table[0])
    number = {tuple(cell.values()): i for i, cell in enumerate(table)}
    return np.array([number[tuple(one[name] for name in names)] for one in wanted], dtype=int)


def whole_sets(
    cells: Sequence[Mapping[str, str]], catalogue: Sequence[Mapping[str, str]], most: int = 1000
) -> list[dict[str, str]]:
    """Complete label sets, such as a record has.

    Args:
        cells: label sets of the corpus's label histogram.
        catalogue: rows of the public catalogue, each with the remaining labels; may be empty.
        most: only this many rows of the catalogue are used.

    Returns:
        Every cell combined with every row.
    """
    return [{**cell, **row} for cell, row in product(cells, catalogue[:most] or [{}])]


def probabilities(noisy_counts: Sequence[int]) -> np.ndarray:
    """Shares of the cells in ``noisy_counts``, negative counts taken as zero.

    Returns:
        shape (cells,), summing to 1; equal shares where no count is positive.
    """
    kept = np.maximum(np.asarray(noisy_counts, dtype=float), 0)
    return kept / kept.sum() if kept.sum() else np.full(len(kept), 1 / len(kept))


def totals(histogram: Mapping, name: str) -> dict[str, int]:
    """The noisy counts of one label's values, whatever the other labels.

    Args:
        histogram: as `draw` takes it.
        name: of a label of its cells.

    Returns:
        value -> the sum over its cells; the noise of each cell is in it.
    """
    sums: Counter[str] = Counter()
    for cell, count in zip(histogram["cells"], histogram["noisy_counts"], strict=True):
        sums[cell[name]] += count
    return dict(sums)


def draw(
    histogram: Mapping, catalogue: Sequence[Mapping[str, str]], samples: int, rng: np.random.Generator
) -> list[dict[str, str]]:
    """Draw labels for synthetic records: a cell by its noisy share, and a row of the public catalogue.

    Args:
        histogram: what 00_process_data wrote: ``cells`` (label dicts) and ``noisy_counts``.
        catalogue: rows of the public catalogue, drawn with equal probability; empty where there is none.
        samples: how many label sets to draw.
        rng: the generator of the draws.

    Returns:
        label name -> value, for each of the ``samples``.
    """
    picked = rng.choice(len(histogram["cells"]), size=samples, p=probabilities(histogram["noisy_counts"]))
    rows = rng.integers(len(catalogue), size=samples) if catalogue else None
    return [
        {**histogram["cells"][cell], **(catalogue[rows[i]] if rows is not None else {})}
        for i, cell in enumerate(picked)
    ]
