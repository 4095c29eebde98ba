"""A blinded rating sheet: arms and real records mixed, for people; and what they answered, read back.

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
    """Items in the order that raters see them. ``sets`` (which arm each is of) is the key, kept from raters."""

    texts: list[str]
    labels: list[Mapping[str, str]]
    sets: list[str]

    @property
    def ids(self) -> list[str]:
        """Name of each item: its number, and a hash of the sheet, so that answers to another sheet are refused."""
        content = repr([*zip(self.texts, map(sorted, map(dict.items, map(dict, self.labels))), strict=True)])
        mark = hashlib.sha256(content.encode()).hexdigest()[:6]
        return [f"{mark}-{number:03d}" for number in range(1, len(self.texts) + 1)]


def blinded(sets: Sets, *, each: int, seed: int) -> Sheet:
    """``each`` records of every arm and of held-out real ones, in an order drawn from ``seed``."""
    rng = np.random.default_rng(seed)
    chosen: list[tuple[int, str]] = []
    for name in (*sets.arms, HELD_OUT):
        rows = sets.rows[name]
        drawn = rng.permutation(rows)[: min(each, sets.n)]
        chosen += [(int(row), REAL if name == HELD_OUT else name) for row in drawn]
    order = [chosen[i] for i in rng.permutation(len(chosen))]
    return Sheet([sets.texts[i] for i, _ in order], [sets.labels[i] for i, _ in order], [name for _, name in order])


def write_private(path: Path, content: str) -> Path:
    """A file that its owner alone can read, in a folder that its owner alone can open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    write_atomic(path, content)
    path.chmod(0o600)
    return path


def new_file(folder: Path = DATA / "ratings") -> Path:
    """Where the panel keeps a rater's answers: outside the results, which a rerun clears."""
    return folder / f"ratings-{datetime.now():%Y%m%d-%H%M%S}.csv"


def as_csv(sheet: Sheet) -> str:
    """The sheet with empty columns for the answers; opens in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "labels", "text"])
    for item, labels, text in zip(sheet.ids, sheet.labels, sheet.texts, strict=True):
        writer.writerow([item, *[""] * len(QUESTIONS), _plain(_named(labels)), _plain(text)])
    return "\ufeff" + out.getvalue()  # a spreadsheet takes the file for UTF-8 by this mark


def as_key(sheet: Sheet) -> str:
    """Which set each item is of, as JSON: raters must not see it."""
    return json.dumps(dict(zip(sheet.ids, sheet.sets, strict=True)), indent=1)


def read_answers(paths: Mapping[str, Path], sheet: Sheet) -> dict[str, np.ndarray]:
    """Answers by question, (raters, items), NaN where there is none. ``paths`` are filled sheets by rater.

    Raises DoppelError with file and line for an item that is not on the sheet or comes twice, and for an answer off
    the scale.
    """
    place = {item: number for number, item in enumerate(sheet.ids)}
    answers = {question: np.full((len(paths), len(place)), np.nan) for question in QUESTIONS}
    for rater, path in enumerate(paths.values()):
        try:
            rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
        except (OSError, UnicodeDecodeError, csv.Error):
            raise DoppelError(f"{path}: cannot be read; save the filled sheet as CSV in UTF-8") from None
        seen: set[str] = set()
        for line, row in enumerate(rows, 1):
            where = f"{path}, row {line}"
            if missing := [name for name in COLUMNS if row.get(name) is None]:
                raise DoppelError(f"{where}: no column {missing[0]!r}; keep the columns {', '.join(COLUMNS)}")
            item = row["item"].strip()
            if item not in place or item in seen:
                reason = "comes twice" if item in seen else "is not on this run's sheet"
                raise DoppelError(f"{where}: the item {reason}; fill in the sheet as it is in this run's ratings/")
            seen.add(item)
            for question in QUESTIONS:
                answers[question][rater, place[item]] = _answer(row[question].strip(), question, where)
    return answers


def mean_ratings(answers: np.ndarray, sheet: Sheet, *, draws: int, seed: int) -> dict[str, Estimate | Undefined]:
    """Mean answer of every set on the sheet, real records under `REAL`; items and raters redrawn with replacement.

    An item's value is the mean over its raters; ``answers`` (raters, items).
    """
    names = np.array(sheet.sets)
    found: dict[str, Estimate | Undefined] = {}
    for name in sorted(set(sheet.sets)):
        own = answers[:, names == name]
        rated = own[:, ~np.isnan(own).all(axis=0)]
        if rated.shape[1] < 2:
            found[name] = Undefined(f"{rated.shape[1]} items of {name!r} were rated, an interval needs 2; rate more")
            continue
        rng = np.random.default_rng(seed)  # the same raters in each draw for all sets
        drawn = []
        for _ in range(draws):
            raters = rng.integers(len(rated), size=len(rated))
            value = _mean(rated[raters][:, rng.integers(rated.shape[1], size=rated.shape[1])])
            drawn += [] if np.isnan(value) else [value]
        if len(drawn) < 2:
            found[name] = Undefined(f"too few ratings of {name!r} for an interval; rate more")
            continue
        value = _mean(rated)
        found[name] = Estimate(value, value + np.array(drawn) - np.mean(drawn))
    return found


def _mean(answers: np.ndarray) -> float:
    """Mean over items of the mean over their raters; NaN where nothing was rated."""
    given = ~np.isnan(answers)
    rated = given.any(axis=0)
    if not rated.any():
        return float("nan")
    return float((np.nansum(answers, axis=0)[rated] / given.sum(axis=0)[rated]).mean())


def _answer(text: str, question: str, where: str) -> float:
    if not text:
        return np.nan
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if number not in SCALE:
        raise DoppelError(f"{where}: {question!r} must be a whole number from {SCALE[0]} to {SCALE[-1]}, or empty")
    return number


def _named(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in labels.items())


def _plain(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
