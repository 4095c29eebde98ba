"""Trainings of a detector on a synthetic set: each leaves some templates out, is tested on them and on foreign text."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.common import formatting
from lib.common.files import read_json, write_json
from lib.pii.checking.scores import ALL, METRICS, Measured, Outcomes, measured
from lib.pii.checking.sets import LabelledSet, folds
from lib.pii.checking.testing import Found, found, outcomes
from lib.pii.detectors.detector import Detector, united
from lib.pii.detectors.token_classifier import TokenClassifier
from lib.pii.detectors.training import TokenClassifierSettings, train
from lib.pii.spans import Filled

TRAINED = "trained"
HOME = "home"
SECONDS = "seconds.json"  # of a training, in the folder of its detector


class Trials(NamedTuple):
    """What several trainings of one detector found.

    Attributes:
        tested: the synthetic texts that were tested, each by the training that did not see its template.
        home: what was found in them.
        away: by set of foreign text, what each training found there.
        seconds: of each training.
    """

    tested: LabelledSet
    home: Found
    away: dict[str, list[Found]]
    seconds: list[float]


class Progress(NamedTuple):
    """What is called while trials run.

    Attributes:
        step: with 1 after each step of a training.
        text: with the number of texts that were newly read.
    """

    step: Callable[[int], object] = lambda steps: None
    text: Callable[[int], object] = lambda texts: None


QUIET = Progress()


def run(
    synthetic: LabelledSet,
    away: Mapping[str, LabelledSet],
    encoder: str,
    settings: TokenClassifierSettings,
    *,
    count: int,
    test_texts: int,
    seed: int,
    folder: Path | None = None,
    progress: Progress = QUIET,
) -> Trials:
    """Train once for each fold of templates, each time from another seed, and test each training.

    Args:
        synthetic: the set that is learned from.
        away: sets of foreign text, none of which is learned from.
        encoder: as `lib.pii.detectors.training.train` takes it.
        settings: of each training.
        count: of folds and so of trainings, at least 2.
        test_texts: synthetic texts that are tested in all, at most.
        seed: of the folds; training ``i`` has ``seed + i``.
        folder: that keeps the trained detectors, so that a run that was killed goes on; None keeps none.
        progress: of the trainings and tests.

    Raises:
        DoppelError: ``pii.too_few_templates``, or what a training refuses.
    """
    rng = np.random.default_rng(seed)
    rows: list[int] = []
    home: Found = []
    foreign: dict[str, list[Found]] = {name: [] for name in away}
    seconds = []
    for number, (learned, tested) in enumerate(folds(synthetic.groups, count, seed=seed)):
        kept = None if folder is None else folder / f"training-{number}"
        texts = synthetic.part(learned).filled
        detector, took = _trained(texts, encoder, settings, seed + number, kept, progress.step)
        seconds.append(took)
        taken = sorted(rng.permutation(tested)[: -(-test_texts // count)].tolist())
        rows += taken
        home += found(detector, synthetic.part(taken).texts, progress.text)
        for name, labelled in away.items():
            foreign[name].append(found(detector, labelled.texts, progress.text))
    return Trials(synthetic.part(rows), home, foreign, seconds)


def _trained(
    texts: Sequence[Filled],
    encoder: str,
    settings: TokenClassifierSettings,
    seed: int,
    kept: Path | None,
    progress: Callable[[int], object],
) -> tuple[Detector, float]:
    """A trained detector and the seconds that it took, from the folder ``kept`` where it is whole."""
    if kept is None or not (kept / SECONDS).is_file():
        began = time.perf_counter()
        detector = train(texts, encoder, settings, seed=seed, progress=progress)
        took = time.perf_counter() - began
        if kept is None:
            return detector, took
        detector.save(kept)
        write_json(kept / SECONDS, took)  # last: what is killed before it is trained again
    else:
        progress(settings.steps)
    return TokenClassifier.load(kept, device=settings.device), read_json(kept / SECONDS)


class Result(NamedTuple):
    """A detector on a set.

    Attributes:
        detector: its name.
        tested: name of the set, `HOME` for the synthetic one.
        trainings: what each training came to, by group; of one that is not trained here, one.
    """

    detector: str
    tested: str
    trainings: list[Outcomes]


def trained(trials: Trials, away: LabelledSet, kept: Sequence[str]) -> list[Result]:
    """The trained detector at home and on a foreign set.

    Args:
        trials: its trainings.
        away: the foreign set, one of those of the trials, with any labels.
        kept: common names that are looked at.
    """
    here = outcomes(trials.home, TokenClassifier.scheme, trials.tested, kept)
    there = [outcomes(spans, TokenClassifier.scheme, away, kept) for spans in trials.away[away.name]]
    return [Result(TRAINED, HOME, [here]), Result(TRAINED, away.name, there)]


def beside(detector: Detector, trials: Trials, away: LabelledSet, kept: Sequence[str]) -> list[Result]:
    """A detector that is not trained here, on both sets, alone and together with the trained one.

    Together, the spans of this one come first, and the trained detector's keep what lies outside them, as 01_scrub has
    it (`lib.pii.detectors.detector.united`). That is done where both name the same classes.

    Args:
        detector: any.
        trials: trainings of the other.
        away: the foreign set, one of those of the trials, with any labels.
        kept: common names that are looked at.
    """
    here, there = (found(detector, one.texts) for one in (trials.tested, away))
    results = [
        Result(detector.name, HOME, [outcomes(here, detector.scheme, trials.tested, kept)]),
        Result(detector.name, away.name, [outcomes(there, detector.scheme, away, kept)]),
    ]
    if detector.scheme == TokenClassifier.scheme:
        both = f"{detector.name} + {TRAINED}"
        results += [
            Result(both, HOME, [_together(here, trials.home, trials.tested, kept)]),
            Result(both, away.name, [_together(there, one, away, kept) for one in trials.away[away.name]]),
        ]
    return results


def _together(first: Found, then: Found, labelled: LabelledSet, kept: Sequence[str]) -> Outcomes:
    texts = zip(labelled.texts, first, then, strict=True)
    return outcomes([united(text, found_both) for text, *found_both in texts], TokenClassifier.scheme, labelled, kept)


def rows(results: Sequence[Result], labels: Sequence[str] = (ALL,), *, draws: int, seed: int) -> list[dict]:
    """A row for each detector, set, class and metric: ``value``, ``low``, ``high``; None where it is not defined.

    Args:
        results: any.
        labels: classes, or `ALL`.
        draws: of each interval.
        seed: of the draws.
    """
    found_rows = []
    for result in results:
        for label in labels:
            for metric in METRICS:
                one = measured(result.trainings, metric, label, draws=draws, seed=seed)
                figures = [None if np.isnan(figure) else figure for figure in (one.value, *one.interval)]
                place = {"detector": result.detector, "set": result.tested, "class": label, "metric": metric}
                found_rows.append(place | dict(zip(("value", "low", "high"), figures, strict=True)))
    return found_rows


def gap(results: Sequence[Result], metric: str, away: str, *, draws: int, seed: int) -> tuple[Measured, str]:
    """How much of a metric the trained detector loses away from home, with a sentence that says so.

    Args:
        results: those of `trained`.
        metric: a key of `METRICS`.
        away: name of the foreign set.
        draws: of the intervals.
        seed: of the draws.
    """
    sides = {one.tested: one.trainings for one in results if one.detector == TRAINED}
    here, there = (
        measured(sides[name], metric, draws=draws, seed=seed + place) for place, name in enumerate((HOME, away))
    )
    lost = here.less(there)
    low, high = lost.interval
    sides_shown = f"{here.value:.3f} at home, {there.value:.3f} on {away}"
    return lost, f"{spelled(metric)}: {sides_shown}, a gap of {lost.value:.3f} [{low:.3f}, {high:.3f}]"


def spelled(metric: str) -> str:
    """A metric's name for readers: ``strict F1``."""
    return metric.replace("_", " ").replace("f1", "F1")


def wide(shown: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Rows as a table with a column for each metric, each figure with its interval.

    Args:
        shown: of `rows`.
    """
    table = pd.DataFrame(
        [
            {
                "detector": row["detector"],
                "set": row["set"],
                "class": row["class"],
                "metric": spelled(str(row["metric"])),
                "value": formatting.interval(row["value"], row["low"], row["high"]),
            }
            for row in shown
        ]
    )
    index = ["detector", "set", *(["class"] if table["class"].nunique() > 1 else [])]
    order = list(dict.fromkeys(table["metric"]))
    return table.pivot_table(index=index, columns="metric", values="value", aggfunc="first", sort=False)[order]
