"""A blinded rating sheet for people, with records of the arms and real records mixed; and reading their answers.

Real text stands on the sheet, so it is private: for evaluation only, readable by its owner alone.
"""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.common.paths import DATA
from lib.evaluation.comparison_sets import HELD_OUT, REAL, Sets
from lib.evaluation.estimate import Estimate, Undefined

QUESTIONS = {
    "quality": "Is it well written, whole, and something a person would write? 1 (no) to 5 (fully)",
    "fits": "Does the text fit its labels? 1 (not at all) to 5 (fully)",
}
SCALE = range(1, 6)
COLUMNS = ("item", *QUESTIONS)


@dataclass(frozen=True)
class Sheet:
    """Items to rate, in the order that raters see them. Private: real text is in it.

    Args:
        texts: text of each item.
        labels: labels of each item.
        sets: the set that each item comes from: an arm, or `REAL`. This is the key, which raters must not see.
    """

    texts: list[str]
    labels: list[Mapping[str, str]]
    sets: list[str]

    @property
    def ids(self) -> list[str]:
        """Name of each item: a hash of the sheet, so that answers to another sheet are refused, and a number."""
        content = repr([*zip(self.texts, map(sorted, map(dict.items, map(dict, self.labels))), strict=True)])
        mark = hashlib.sha256(content.encode()).hexdigest()[:6]
        return [f"{mark}-{number:03d}" for number in range(1, len(self.texts) + 1)]


def blinded(sets: Sets, *, each: int, seed: int) -> Sheet:
    """A sheet of records of every arm and of held-out real records, in random order.

    Args:
        sets: the arms and the held-out records.
        each: records of each set, at most.
        seed: of the choice of records and of their order.
    """
    rng = np.random.default_rng(seed)
    chosen: list[tuple[int, str]] = []
    for name in (*sets.arms, HELD_OUT):
        drawn = rng.permutation(sets.rows[name])[: min(each, sets.n)]
        chosen += [(int(row), REAL if name == HELD_OUT else name) for row in drawn]
    order = [chosen[i] for i in rng.permutation(len(chosen))]
    return Sheet([sets.texts[i] for i, _ in order], [sets.labels[i] for i, _ in order], [name for _, name in order])


def write_private(path: Path, content: str) -> Path:
    """Write ``content`` to a file ``path`` that only its owner can read, in a folder that only its owner can open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    write_atomic(path, content)
    path.chmod(0o600)
    return path


def new_file(folder: Path = DATA / "ratings") -> Path:
    """A new file in ``folder`` for the answers given in the panel; not in the results, which a rerun clears."""
    return folder / f"ratings-{datetime.now():%Y%m%d-%H%M%S}.csv"


def as_csv(sheet: Sheet) -> str:
    """The items of ``sheet`` with empty columns for the answers, for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "labels", "text"])
    for item, labels, text in zip(sheet.ids, sheet.labels, sheet.texts, strict=True):
        writer.writerow([item, *[""] * len(QUESTIONS), _no_formula(_joined(labels)), _no_formula(text)])
    return "\ufeff" + out.getvalue()  # by this mark a spreadsheet reads the file as UTF-8


def as_key(sheet: Sheet) -> str:
    """The set of each item of ``sheet``, as JSON: raters must not see it."""
    return json.dumps(dict(zip(sheet.ids, sheet.sets, strict=True)), indent=1)


def read_answers(paths: Mapping[str, Path], sheet: Sheet) -> dict[str, np.ndarray]:
    """Answers by question, (raters, items), NaN where there is none.

    Args:
        paths: a filled sheet of each rater, CSV in UTF-8.
        sheet: the sheet that was handed out.

    Raises:
        DoppelError: with file and row, for an item that is not on the sheet or comes twice, and for an answer off the
            scale.
    """
    column = {item: number for number, item in enumerate(sheet.ids)}
    answers = {question: np.full((len(paths), len(column)), np.nan) for question in QUESTIONS}
    for rater, path in enumerate(paths.values()):
        try:
            rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
        except (OSError, UnicodeDecodeError, csv.Error):
            raise DoppelError(
                "evaluation.ratings_unreadable",
                "cannot be read",
                where=str(path),
                remedy="save the filled sheet as CSV in UTF-8",
            ) from None
        seen: set[str] = set()
        for number, row in enumerate(rows, 1):
            try:
                item, given = _row_answers(row, column, seen)
            except DoppelError as error:
                raise error.at(f"{path}, row {number}") from None
            seen.add(item)
            for question, answer in given.items():
                answers[question][rater, column[item]] = answer
    return answers


def _row_answers(
    row: Mapping[str, str | None], known: Mapping[str, int], seen: set[str]
) -> tuple[str, dict[str, float]]:
    """The item of a filled row, and its answers by question."""
    if missing := [name for name in COLUMNS if row.get(name) is None]:
        raise DoppelError(
            "evaluation.ratings_column_missing",
            f"no column {missing[0]!r}",
            name=missing[0],
            remedy=f"keep the columns {', '.join(COLUMNS)}",
        )
    item = row["item"].strip()
    remedy = "fill in the sheet as it is in this run's ratings/"
    if item in seen:
        raise DoppelError("evaluation.rated_item_repeated", "the item comes twice", name="item", remedy=remedy)
    if item not in known:
        raise DoppelError(
            "evaluation.rated_item_unknown", "the item is not on this run's sheet", name="item", remedy=remedy
        )
    return item, {question: _answer(row[question].strip(), question) for question in QUESTIONS}


def _answer(text: str, question: str) -> float:
    if not text:
        return np.nan
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if number not in SCALE:
        raise DoppelError(
            "evaluation.rating_off_scale",
            f"{question!r} must be a whole number from {SCALE[0]} to {SCALE[-1]}, or empty",
            name=question,
        )
    return number


def mean_ratings(answers: np.ndarray, sheet: Sheet, *, draws: int, seed: int) -> dict[str, Estimate | Undefined]:
    """Mean answer of every set on the sheet, on the scale of `SCALE`; real records are under `REAL`.

    The value of an item is the mean over its raters. The draws are a bootstrap of items and of raters.

    Args:
        answers: answers to one question, (raters, items), NaN where there is none.
        sheet: the sheet, whose key says which set an item is of.
        draws: draws of the bootstrap.
        seed: of the bootstrap; sets with equally many rated items share the raters of each draw.
    """
    names = np.array(sheet.sets)
    return {name: _mean_rating(name, answers[:, names == name], draws, seed) for name in sorted(set(sheet.sets))}


def _mean_rating(name: str, answers: np.ndarray, draws: int, seed: int) -> Estimate | Undefined:
    """Mean answer of one set from its answers (raters, items)."""
    rated = answers[:, ~np.isnan(answers).all(axis=0)]
    if rated.shape[1] < 2:
        return Undefined(f"{rated.shape[1]} items of {name!r} were rated, an interval needs 2; rate more")
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        raters = rng.integers(len(rated), size=len(rated))
        value = _mean(rated[raters][:, rng.integers(rated.shape[1], size=rated.shape[1])])
        drawn += [] if np.isnan(value) else [value]
    if len(drawn) < 2:
        return Undefined(f"too few ratings of {name!r} for an interval; rate more")
    value = _mean(rated)
    return Estimate(value, value + np.array(drawn) - np.mean(drawn))


def _mean(answers: np.ndarray) -> float:
    """Mean over items of the mean over their raters; NaN where nothing was rated."""
    given = ~np.isnan(answers)
    rated = given.any(axis=0)
    if not rated.any():
        return float("nan")
    return float((np.nansum(answers, axis=0)[rated] / given.sum(axis=0)[rated]).mean())


def _joined(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in labels.items())


def _no_formula(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
