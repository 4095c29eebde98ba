"""Labelled sets on their way into a check: read, cleaned of spans that cannot be, with what belongs together."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import GroupKFold

from lib.common.errors import DoppelError, nearest
from lib.pii.checking import foreign
from lib.pii.checking.common import FOREIGN, NO_NAMES, Translation
from lib.pii.checking.common import translation as translated
from lib.pii.classes import classes
from lib.pii.exports import ai4privacy
from lib.pii.exports.registry import FORMATS
from lib.pii.spans import Filled, Problem, problems, unfill

OTHER = "OTHER"  # all labels of a reference that no table knows


class LabelledSet(NamedTuple):
    """Labelled texts.

    Attributes:
        name: for tables.
        filled: the texts; spans in order, disjoint and inside.
        groups: of each text, what it was made from: texts of one group are tested together or not at all.
        labels: its labels in common names.
        problems: what was wrong with the texts as they were read (`lib.pii.spans.problems`); spans with a problem are
            left out of ``filled``.
    """

    name: str
    filled: list[Filled]
    groups: list[str]
    labels: Translation
    problems: list[Problem]

    @property
    def texts(self) -> list[str]:
        """The texts alone."""
        return [one.text for one in self.filled]

    def part(self, rows: Sequence[int]) -> "LabelledSet":
        """Some of the texts; the problems stay those of the whole.

        Args:
            rows: their numbers, from 0.
        """
        return self._replace(filled=[self.filled[row] for row in rows], groups=[self.groups[row] for row in rows])


def labelled_set(
    name: str, filled: Iterable[Filled], groups: Sequence[str], scheme: str, given: Mapping[str, str] = NO_NAMES
) -> LabelledSet:
    """Texts as a set. Spans with a problem are left out, and the problems kept.

    Args:
        name: for tables.
        filled: the texts.
        groups: of each text.
        scheme: as `lib.pii.checking.common.translation` takes it.
        given: likewise.
    """
    kept, found = [], []
    for one in filled:
        wrong = problems(one, classes())
        found += wrong
        bad = {problem.span for problem in wrong}
        kept.append(Filled(one.text, tuple(span for number, span in enumerate(one.spans) if number not in bad)))
    labels = sorted({span.label for one in kept for span in one.spans})
    return LabelledSet(name, kept, list(groups), translated(scheme, labels, given), found)


def read_synthetic(path: Path, *, most: int | None = None, seed: int = 0) -> LabelledSet:
    """The set of a stage of 40_pii_text.

    Args:
        path: its ``labelled.jsonl``. A row's ``template``, or its text with slots where it has none, is its group.
        most: texts that are taken, drawn at random; None takes all.
        seed: of the draw.

    Raises:
        DoppelError: as `lib.pii.exports.ai4privacy.read`.
    """
    examples = ai4privacy.read(path)
    if most is not None and most < len(examples):
        taken = np.random.default_rng(seed).permutation(len(examples))[:most]
        examples = [examples[row] for row in sorted(taken)]
    groups = [example.template or unfill(example.filled) for example in examples]
    return labelled_set("synthetic", [example.filled for example in examples], groups, "doppel")


def presidio_evaluator(each: int, *, seed: int) -> LabelledSet:
    """`lib.pii.checking.foreign` as a set; a template is a group.

    Args:
        each: as `lib.pii.checking.foreign.texts` takes it.
        seed: likewise.
    """
    examples = foreign.texts(each, seed=seed)
    groups = [example.id.partition("-")[0] for example in examples]
    return labelled_set(FOREIGN, [example.filled for example in examples], groups, FOREIGN)


def read_reference(path: Path, file_format: str, scheme: str, given: Mapping[str, str]) -> LabelledSet:
    """A labelled file that a user names. It counts as private: no text of it may be shown.

    Args:
        path: the file.
        file_format: a key of `lib.pii.exports.registry.FORMATS`.
        scheme: whose labels it has, one of `lib.pii.checking.common.SCHEMES`.
        given: as `lib.pii.checking.common.translation` takes it.

    Returns:
        The set; a text whose template is not known is a group of its own. Labels that neither table nor ``given`` knows
        are `OTHER`: a broken file may have anything in their place.

    Raises:
        DoppelError: ``pii.unknown_format``, ``pii.no_texts``; or the file cannot be read, or an unknown scheme or name.
    """
    if file_format not in FORMATS:
        raise DoppelError(
            "pii.unknown_format",
            f"no format is called {file_format!r}",
            name="reference_format",
            value=file_format,
            remedy=nearest(file_format, FORMATS),
        )
    examples = FORMATS[file_format].read(path)
    if not examples:
        raise DoppelError("pii.no_texts", "the file has no labelled text", name="reference", where=str(path))
    groups = [example.template or str(number) for number, example in enumerate(examples)]
    known = {span.label for example in examples for span in example.filled.spans}
    known -= translated(scheme, known, given).aside
    texts = (
        Filled(text, tuple(span if span.label in known else span._replace(label=OTHER) for span in spans))
        for text, spans in (example.filled for example in examples)
    )
    return labelled_set("reference", texts, groups, scheme, given)


def folds(groups: Sequence[str], count: int, *, seed: int) -> list[tuple[list[int], list[int]]]:
    """Rows to learn from and rows to be tested on, by turns: each group is tested once, and not learned from then.

    Args:
        groups: of each text.
        count: of folds, at least 2.
        seed: of the order of groups.

    Raises:
        DoppelError: ``pii.too_few_templates``: there are fewer groups than folds.
    """
    distinct = len(set(groups))
    if distinct < count:
        raise DoppelError(
            "pii.too_few_templates",
            f"{distinct} templates cannot make {count} folds",
            name="folds",
            value=count,
            remedy="choose fewer folds, or make texts from more templates",
        )
    split = GroupKFold(count, shuffle=True, random_state=seed).split(groups, groups=groups)
    return [(learned.tolist(), tested.tolist()) for learned, tested in split]
