"""Metrics of the texts themselves: lengths, words, labels, and the share of broken texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import wasserstein_distance
from sklearn.feature_extraction.text import CountVectorizer

from lib.common.errors import DoppelError
from lib.data.processing import CONTROLS
from lib.data.tokenize import sentences, words
from lib.generation.engines.base import Completion
from lib.generation.rejection import rejection

TOP_WORDS = 1000

_FINISHED = re.compile(r"[.!?…。！？)\]\"'”’»]\s*$")  # a closing quote or a smiley finishes a text, too
_NOT_TEXT = re.compile("\ufffd|" + CONTROLS.pattern)


@dataclass(frozen=True)
class Lengths:
    """Lengths in words of the records, (n,), and of their sentences, ``of_record`` (sentences,) saying whose."""

    records: np.ndarray
    sentences: np.ndarray
    of_record: np.ndarray


def lengths(texts: Sequence[str]) -> Lengths:
    """Of texts without a word, and of no text, too: those have no sentence."""
    found = [[len(sentence) for sentence in sentences(text)] for text in texts]
    records = np.array([sum(one) for one in found], int)
    owner = np.repeat(np.arange(len(texts)), [len(one) for one in found])
    return Lengths(records, np.array([length for one in found for length in one], int), owner)


def length_distance(real: np.ndarray, synthetic: np.ndarray) -> float:
    """1-Wasserstein distance between two sets of lengths, in words; >= 0, 0 is best."""
    if not len(real) or not len(synthetic):
        raise DoppelError(f"length distance: {len(real)} real and {len(synthetic)} synthetic lengths, none may be 0")
    return float(wasserstein_distance(real, synthetic))


def word_counts(texts: Sequence[str], top: int | None = TOP_WORDS) -> sparse.csr_matrix:
    """How often each text says each of the ``top`` commonest words of all texts, (n, words); case is ignored."""
    if not any(words(text) for text in texts):
        raise DoppelError(f"words: {len(texts)} texts hold no word; leave this arm out, or generate it again")
    return CountVectorizer(analyzer=words, max_features=top).fit_transform(texts)


def jensen_shannon(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Jensen-Shannon divergence of two tables of counts (words,), base 2, in [0, 1]; 0 is best (Lin 1991)."""
    if not real.sum() or not synthetic.sum():
        raise DoppelError("Jensen-Shannon divergence: one side has none of the words; compare more records")
    p, q = real / real.sum(), synthetic / synthetic.sum()
    middle = (p + q) / 2
    return float(sum((side[side > 0] * np.log2(side[side > 0] / middle[side > 0])).sum() for side in (p, q)) / 2)


def label_distance(real: Sequence[str], synthetic: Sequence[str]) -> float:
    """Total variation between two distributions of one label's values, in [0, 1]; 0 is best."""
    if not len(real) or not len(synthetic):
        raise DoppelError(f"label distance: {len(real)} real and {len(synthetic)} synthetic labels, none may be 0")
    _, places = np.unique([*real, *synthetic], return_inverse=True)
    p, q = (np.bincount(side, minlength=places.max() + 1) for side in (places[: len(real)], places[len(real) :]))
    return float(np.abs(p / len(real) - q / len(synthetic)).sum() / 2)


def defects(text: str) -> set[str]:
    """What is broken in a text: ``'non-text'`` (control signs, broken bytes, a model's markup, no letters, nothing at
    all), ``'repetitive'`` (the rules of `lib.generation.rejection.rejection`), ``'abrupt'`` (no sign that ends a sentence).

    Many real texts end without a full stop: read each share beside that of real text.
    """
    found = set() if _FINISHED.search(text) else {"abrupt"}
    reason = rejection(Completion(text, 0, ended=True), "", ())
    if reason == "repetitive":
        found.add("repetitive")
    elif reason is not None or _NOT_TEXT.search(text):
        found.add("non-text")
    return found


def defect_table(texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Which texts have each of the `defects`, bool (n,): the mean is the share. ``'broken'`` is any but 'abrupt'."""
    if not len(texts):
        raise DoppelError("broken texts: there are none to look at; leave this arm out")
    found = [defects(text) for text in texts]
    table = {name: np.array([name in one for one in found]) for name in ("non-text", "repetitive", "abrupt")}
    return table | {"broken": table["non-text"] | table["repetitive"]}
