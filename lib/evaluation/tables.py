"""Measures of synthetic rows beside held-out real ones. *Evaluation only*: real rows enter every figure."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from lib.data import records
from lib.data.tables.domain import Column, Value, from_text
from lib.evaluation.estimate import Estimate, estimate

Row = Mapping[str, Value]
REGULARISATION = 1.0  # C of scikit-learn: cells are between 0 and 1
TREES = 50

TITLES = {  # of what `measure` gives
    "tv_1": "columns: total variation",
    "tv_2": "pairs of columns: total variation",
    "logistic": "logistic regression: accuracy",
    "forest": "random forest: accuracy",
}


def read(path: Path) -> list[Row]:
    """The rows of a file of records, whose texts they are; private where the file is."""
    return [from_text(record.text.reveal()) for record in records.read(path)]


def total_variation(
    left: Sequence[Row], right: Sequence[Row], columns: Sequence[Column], names: Sequence[str], *, bins: int
) -> float:
    """Half of the summed differences between two histograms of one column, or of several together; in [0, 1].

    Args:
        left: at least one row.
        right: at least one row.
        columns: the declared domain.
        names: of the columns that are counted together.
        bins: equal parts of a range, by which numbers are counted; a missing cell is a value of its own.
    """
    chosen = [column for column in columns if column.name in names]
    return _distance(*(np.stack([_codes(column, side, bins) for column in chosen], axis=1) for side in (left, right)))


def measure(
    rows: Sequence[Row],
    real: Sequence[Row],
    columns: Sequence[Column],
    *,
    label: str | None,
    bins: int,
    draws: int,
    seed: int,
) -> dict[str, Estimate]:
    """Total variation of columns and pairs, and accuracy of classifiers trained on a set and tested on real rows.

    Args:
        rows: of the set, at least `lib.evaluation.estimate.MIN_RECORDS`.
        real: held-out rows, as many at least.
        columns: the declared domain.
        label: the category that is predicted; None: none is.
        bins: as `total_variation` takes them.
        draws: subsamples that give each interval.
        seed: of the subsamples and the classifiers.

    Returns:
        ``tv_1`` and ``tv_2``, means over all columns and all pairs, lower is better; with a label ``logistic`` and
        ``forest``, shares of held-out rows that are classified rightly, higher is better.
    """
    tables = {side: np.stack([_codes(c, part, bins) for c in columns], axis=1) for side, part in
              (("rows", rows), ("real", real))}  # fmt: skip
    singles = [(place,) for place in range(len(columns))]
    pairs = [*combinations(range(len(columns)), 2)]
    vectors = {side: _features(part, columns, label) for side, part in (("rows", rows), ("real", real))}
    codes = {side: np.array([str(row[label]) for row in part]) if label else None for side, part in
             (("rows", rows), ("real", real))}  # fmt: skip

    def statistic(real_rows: np.ndarray, own: np.ndarray) -> dict[str, float]:
        sides = tables["rows"][own], tables["real"][real_rows]
        values = {
            f"tv_{size}": float(np.mean([_distance(*(side[:, places] for side in sides)) for places in chosen]))
            for size, chosen in ((1, singles), (2, pairs))
            if chosen
        }
        if label:
            values |= _accuracies(
                vectors["rows"][own], codes["rows"][own], vectors["real"][real_rows], codes["real"][real_rows], seed
            )
        return values

    return estimate(statistic, len(real), len(rows), draws=draws, seed=seed)


def _accuracies(
    own: np.ndarray, labels: np.ndarray, real: np.ndarray, truth: np.ndarray, seed: int
) -> dict[str, float]:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(labels)) < 2:  # a set with one value of the label always names it
        share = float((truth == labels[0]).mean())
        return {"logistic": share, "forest": share}
    models = {
        "logistic": LogisticRegression(C=REGULARISATION, max_iter=300),
        "forest": RandomForestClassifier(TREES, random_state=seed),
    }
    return {name: float(model.fit(own, labels).score(real, truth)) for name, model in models.items()}


def _distance(left: np.ndarray, right: np.ndarray) -> float:
    """Total variation of two tables of codes, (n, columns) and (m, columns)."""
    _, cell = np.unique(np.concatenate([left, right]), axis=0, return_inverse=True)
    cell = cell.ravel()
    counts = [
        np.bincount(part, minlength=cell.max() + 1) / len(part) for part in (cell[: len(left)], cell[len(left) :])
    ]
    return float(np.abs(counts[0] - counts[1]).sum() / 2)


def _codes(column: Column, rows: Sequence[Row], bins: int) -> np.ndarray:
    """The part of the range, or the number of the category, of each row; -1 where the cell is missing; (n,)."""
    values = [row[column.name] for row in rows]
    if not column.is_number:
        return np.array([-1 if value is None else column.values.index(value) for value in values])
    scaled = [-1.0 if value is None else (value - column.low) / (column.high - column.low) for value in values]
    return np.where(np.array(scaled) < 0, -1, np.minimum(np.array(scaled) * bins, bins - 1).astype(int))


def _features(rows: Sequence[Row], columns: Sequence[Column], label: str | None) -> np.ndarray:
    """All cells but the label as numbers from 0 to 1, (n, width); of a category a column for each value."""
    parts = [np.zeros((len(rows), 0))]
    for column in (column for column in columns if column.name != label):
        values = [row[column.name] for row in rows]
        if column.is_number:
            span = column.high - column.low
            scaled = [0.5 if value is None else (value - column.low) / span for value in values]
            parts.append(np.array([scaled, [value is None for value in values]], float).T)
        else:
            parts.append(np.array([[value == place for place in column.values] for value in values], float))
    return np.concatenate(parts, axis=1)
