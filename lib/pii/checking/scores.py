"""Scores of a detector beside labelled spans, with intervals over groups of texts and over trainings.

Four ways to count a span that was found, those of SemEval 2013 task 9.1 (Segura-Bedmar et al. 2013) as nervaluate has
them: *strict* (borders and class), *exact* (borders), *partial* (any overlap; half of one where borders differ), *type*
(class and any overlap). Beside them the characters that were found by whatever class, which is what masking comes to.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from nervaluate.entities import Entity
from nervaluate.strategies import (
    EntityTypeEvaluation,
    EvaluationStrategy,
    ExactEvaluation,
    PartialEvaluation,
    StrictEvaluation,
)

from lib.pii.checking.common import Place

WAYS: Mapping[str, EvaluationStrategy] = {
    "strict": StrictEvaluation(),
    "exact": ExactEvaluation(),
    "partial": PartialEvaluation(),
    "type": EntityTypeEvaluation(),
}
ALL = "all"  # all classes together
OUTCOMES = ("correct", "incorrect", "partial", "missed", "spurious")


class Compared(NamedTuple):
    """A text with what is labelled and what was found, under the convention of `lib.pii.checking.common`.

    Attributes:
        text: of both.
        labelled: the right spans.
        found: the detector's, of the classes that are looked at.
        masked: start and end of all that it found, whatever the class, outside what is set aside.
    """

    text: str
    labelled: Sequence[Place]
    found: Sequence[Place]
    masked: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Outcomes:
    """What a detector came to, text by text or group by group.

    Args:
        labels: `ALL`, then the classes.
        spans: int, (texts, labels, `WAYS`, `OUTCOMES`).
        characters: int, (texts, labels, 3): characters of the labelled spans, those of them that were masked, and all
            that were masked; the last stands at `ALL` alone. White space does not count.
    """

    labels: tuple[str, ...]
    spans: np.ndarray
    characters: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[Compared], labels: Sequence[str]) -> "Outcomes":
        """Count.

        Args:
            texts: any number.
            labels: the classes that are looked at.
        """
        names = (ALL, *labels)
        spans = np.zeros((len(texts), len(names), len(WAYS), len(OUTCOMES)), np.int64)
        characters = np.zeros((len(texts), len(names), 3), np.int64)
        for row, text in enumerate(texts):
            masked = _characters(text.text, text.masked)
            for column, name in enumerate(names):
                right, found = (
                    [place for place in side if name in (ALL, place.label)] for side in (text.labelled, text.found)
                )
                if right or found:
                    spans[row, column] = [_counted(way, right, found, names) for way in WAYS.values()]
                own = _characters(text.text, [place[:2] for place in right])
                characters[row, column] = len(own), len(own & masked), len(masked) if name == ALL else 0
        return cls(names, spans, characters)

    def grouped(self, groups: Sequence[object]) -> "Outcomes":
        """The sums of groups of texts.

        Args:
            groups: of each text: its template, or its document.
        """
        numbers = np.unique(np.array(list(map(str, groups))), return_inverse=True)[1]
        summed = []
        for counts in (self.spans, self.characters):
            sums = np.zeros((numbers.max(initial=-1) + 1, *counts.shape[1:]), np.int64)
            np.add.at(sums, numbers, counts)
            summed.append(sums)
        return Outcomes(self.labels, *summed)

    def with_others(self, others: "Outcomes") -> "Outcomes":
        """These texts and ``others``, with the same labels."""
        return Outcomes(
            self.labels,
            np.concatenate([self.spans, others.spans]),
            np.concatenate([self.characters, others.characters]),
        )


@dataclass(frozen=True)
class Measured:
    """A figure and how it varies.

    Args:
        value: NaN where it is not defined: nothing was labelled, or nothing found.
        draws: (draws,), of the bootstrap.
    """

    value: float
    draws: np.ndarray

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval, by percentiles of the draws (Efron 1979)."""
        if np.isnan(self.draws).all():
            return float("nan"), float("nan")
        return tuple(map(float, np.nanquantile(self.draws, [0.025, 0.975])))

    def less(self, other: "Measured") -> "Measured":
        """By how much this is above ``other``, whose texts were drawn independently."""
        return Measured(self.value - other.value, self.draws - other.draws)


Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of spans (..., WAYS, OUTCOMES) and characters (..., 3)


def _precision(way: str) -> Metric:
    return lambda spans, _: _share(*_right(spans, way), missed=False)


def _recall(way: str) -> Metric:
    return lambda spans, _: _share(*_right(spans, way), missed=True)


def _f1(way: str) -> Metric:
    def metric(spans: np.ndarray, _: np.ndarray) -> np.ndarray:
        right, counts = _right(spans, way)
        both = counts[..., :3].sum(-1) * 2 + counts[..., 3] + counts[..., 4]  # of labelled and of found spans
        return _divided(2 * right, both)

    return metric


METRICS: Mapping[str, Metric] = {
    "strict_f1": _f1("strict"),
    "exact_f1": _f1("exact"),
    "partial_f1": _f1("partial"),
    "type_f1": _f1("type"),
    "strict_precision": _precision("strict"),
    "strict_recall": _recall("strict"),
    "character_recall": lambda _, characters: _divided(characters[..., 1], characters[..., 0]),
    "character_precision": lambda _, characters: _divided(characters[..., 1], characters[..., 2]),
}


def measured(
    trainings: Sequence[Outcomes], metric: str, label: str = ALL, *, draws: int = 1000, seed: int = 0
) -> Measured:
    """A metric, the mean over trainings, with draws that vary both the groups of texts and the trainings.

    Args:
        trainings: the outcomes by group (`Outcomes.grouped`) of several trainings on the same groups, or of one.
        metric: a key of `METRICS`.
        label: a class, or `ALL`.
        draws: of the bootstrap, at least 1.
        seed: of the draws.
    """
    function, column = METRICS[metric], trainings[0].labels.index(label)
    rng = np.random.default_rng(seed)
    groups = len(trainings[0].spans)
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), size=draws)  # (draws, groups)
    picked = rng.integers(len(trainings), size=(draws, len(trainings)))
    values, drawn = [], []
    for one in trainings:
        spans, characters = one.spans[:, column], one.characters[:, column]
        values.append(function(spans.sum(0), characters.sum(0)))
        drawn.append(function(np.tensordot(weights, spans, 1), np.tensordot(weights, characters, 1)))
    means = np.take_along_axis(np.stack(drawn, 1), picked, 1).mean(1)
    return Measured(float(np.mean(values)), means)


def _counted(
    way: EvaluationStrategy, right: Sequence[Place], found: Sequence[Place], names: Collection[str]
) -> list[int]:
    """`OUTCOMES` of a text; nervaluate's ends are inclusive."""
    sides = ([Entity(label, start, end - 1) for start, end, label in side] for side in (right, found))
    result, _ = way.evaluate(*sides, list(names))
    return [getattr(result, outcome) for outcome in OUTCOMES]


def _characters(text: str, spans: Sequence[tuple[int, int]]) -> set[int]:
    """Places of the characters of some spans that are no white space."""
    return {place for start, end in spans for place in range(start, end) if not text[place].isspace()}


def _right(spans: np.ndarray, way: str) -> tuple[np.ndarray, np.ndarray]:
    """How many spans were right, an overlap counted half, and all outcomes, of a way."""
    counts = spans[..., list(WAYS).index(way), :]
    return counts[..., 0] + 0.5 * counts[..., 2], counts


def _share(right: np.ndarray, counts: np.ndarray, *, missed: bool) -> np.ndarray:
    """Of the labelled spans (``missed``), or of those that were found, the share that is right."""
    return _divided(right, counts[..., :3].sum(-1) + counts[..., 3 if missed else 4])


def _divided(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
