"""Words that may be shown: those of a public vocabulary, which no private record enters."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

from lib.common.files import read_json
from lib.data.public_words import public_words
from lib.data.tokenize import words
from lib.evaluation.fidelity.text_metrics import TOP_WORDS

_CONTRACTED = re.compile(r"\w+['\u2019]\w+")  # *didn't* would leave *didn*

TOP = 3  # words that name a cluster
LEAST_RECORDS = 2  # of a cluster that hold a word which names it


def vocabulary(floor: Path, floor_texts: Sequence[str], *, locale: str) -> list[str]:
    """Faker's words of a language and those of the floor, sorted; without the commonest English ones.

    ``floor`` is the folder of an arm. Where its privacy.json has a reason that it may not be released, its words are
    left out: they may come from private records.
    """
    known = {word for entry in public_words(locale) for word in words(entry)}
    if not read_json(floor / "privacy.json")["not_for_release"]:
        known |= {word for text in floor_texts for word in words(_CONTRACTED.sub(" ", text))}
    return sorted(word for word in known - ENGLISH_STOP_WORDS if len(word) > 1 and not word.isdigit())


def presence(texts: Sequence[str], vocabulary: Collection[str]) -> sparse.csr_matrix:
    """Which texts hold each word of a vocabulary, 0 or 1, (texts, words); no other word is counted."""
    return CountVectorizer(analyzer=words, vocabulary=list(vocabulary), binary=True).transform(texts)


def names(held: sparse.csr_matrix, vocabulary: Sequence[str], groups: np.ndarray) -> list[str]:
    """For each group of texts the words that it holds more than the others do, at most `TOP`, the strongest first.

    A word's strength is share x log(share / share elsewhere), half a text added to each count: what it adds to the
    divergence of the group from the rest.

    Args:
        held: see `presence`. groups: of each text, in [0, count), (texts,).
    """
    found = []
    for group in range(int(groups.max()) + 1):
        inside = groups == group
        counts = [np.asarray(held[side].sum(axis=0)).ravel() for side in (inside, ~inside)]
        here, elsewhere = ((one + 0.5) / (side.sum() + 1) for one, side in zip(counts, (inside, ~inside), strict=True))
        strength = np.where(counts[0] >= LEAST_RECORDS, here * np.log(here / elsewhere), 0)
        best = [i for i in np.argsort(-strength, kind="stable")[:TOP] if strength[i] > 0]
        found.append(", ".join(vocabulary[i] for i in best) or "(no public word stands out)")
    return found


def said(
    groups: Mapping[str, Sequence[str]], vocabulary: Collection[str], *, top: int = TOP_WORDS
) -> tuple[dict[str, np.ndarray], dict[int, str]]:
    """How often each set says each of the ``top`` commonest words of all, and which of these words may be shown.

    Returns:
        Shares of its words by set, (words,), and the words of ``vocabulary`` by their place. The others stay unnamed.
    """
    counter = CountVectorizer(analyzer=words, max_features=top).fit(text for some in groups.values() for text in some)
    counts = {name: np.asarray(counter.transform(some).sum(axis=0)).ravel() for name, some in groups.items()}
    public = set(vocabulary)
    known = {int(i): word for word, i in counter.vocabulary_.items() if word in public}
    return {name: one / max(1, one.sum()) for name, one in counts.items()}, known
