"""Two labelled sets side by side: how often each class stands in them, how long texts are, what is wrong with them."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lib.pii.alignment import Counts, align, count
from lib.pii.checking.sets import LabelledSet
from lib.pii.spans import PROBLEMS
from lib.pii.words import words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

UNNAMED = "no common name"


class Facts(NamedTuple):
    """A labelled set in numbers; no text or value is among them.

    Attributes:
        words: of each text, (texts,).
        spans: of each text, (texts,).
        classes: how many spans have each common name; `UNNAMED` for those without one.
        alignment: what the tags of a tokenizer come to.
        problems: how many there are of each kind of `lib.pii.spans.PROBLEMS`.
    """

    words: np.ndarray
    spans: np.ndarray
    classes: Counter[str]
    alignment: Counts
    problems: Counter[str]

    @property
    def shares(self) -> dict[str, float]:
        """The share of spans that have each common name."""
        return {name: number / max(1, self.classes.total()) for name, number in self.classes.items()}


def facts(labelled: LabelledSet, tokenizer: "PreTrainedTokenizerBase") -> Facts:
    """A set in numbers.

    Args:
        labelled: the set.
        tokenizer: a fast one, whose tags are looked at.
    """
    names = labelled.labels.names
    return Facts(
        np.array([len(words(one.text)) for one in labelled.filled]),
        np.array([len(one.spans) for one in labelled.filled]),
        Counter(names[span.label] or UNNAMED for one in labelled.filled for span in one.spans),
        count((one, align(one, tokenizer)) for one in labelled.filled),
        Counter(problem.kind for problem in labelled.problems),
    )


def sizes(sets: dict[str, Facts]) -> list[dict]:
    """A row for each set: texts, words and spans a text.

    Args:
        sets: by name.
    """
    return [
        {
            "set": name,
            "texts": len(one.words),
            "words a text, median": float(np.median(one.words)),
            "words, 5% to 95%": "{:.0f} to {:.0f}".format(*np.quantile(one.words, [0.05, 0.95])),
            "spans a text, mean": float(one.spans.mean()),
            "texts without a span": float((one.spans == 0).mean()),
            "classes": len(one.classes),
        }
        for name, one in sets.items()
    ]


def faults(sets: dict[str, Facts]) -> list[dict]:
    """A row for each set: what is wrong with its spans, and what a tokenizer's tags make of them.

    Args:
        sets: by name.
    """
    return [
        {"set": name}
        | {kind: one.problems[kind] for kind in PROBLEMS}
        | {
            "tokens across a border": one.alignment.straddling / max(1, one.alignment.tokens),
            "spans with other borders": one.alignment.changed / max(1, one.alignment.spans),
            "spans without a token": one.alignment.lost / max(1, one.alignment.spans),
        }
        for name, one in sets.items()
    ]


def distance(first: Facts, second: Facts) -> float:
    """The total variation distance of two sets' classes: 0 where shares are equal, 1 where no class is in both.

    Args:
        first: a set.
        second: another.
    """
    names: Sequence[str] = sorted({*first.shares, *second.shares})
    return 0.5 * sum(abs(first.shares.get(name, 0) - second.shares.get(name, 0)) for name in names)
