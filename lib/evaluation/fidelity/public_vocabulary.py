"""Words that may be shown: those of a public vocabulary, to which no private record contributes."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

from lib.common.files import read_json
from lib.data.public_words import public_words
from lib.data.tokenize import share, words
from lib.evaluation.fidelity.text_metrics import TOP_WORDS

TOP = 3  # words that name a cluster
LEAST_RECORDS = 2  # of a cluster that contain a word which names it

_CONTRACTED = re.compile(r"\w+['\u2019]\w+")  # *didn't* would leave *didn*


def vocabulary(floor: Path, floor_texts: Sequence[str], *, locale: str) -> list[str]:
    """Faker's words of a language and those of the floor, sorted, without English stop words.

    Words of one letter are left out, but not in scripts where each character is a word.

    Where the floor's privacy.json has a reason that it may not be released, its words are left out: they may come from
    private records.

    Args:
        floor: folder of the arm that never saw the private records.
        floor_texts: its texts.
        locale: of Faker's words, such as ``en_US``.
    """
    known = {word for entry in public_words(locale) for word in words(entry)}
    if not read_json(floor / "privacy.json")["not_for_release"]:
        known |= {word for text in floor_texts for word in words(_CONTRACTED.sub(" ", text))}
    choice = (word for word in known - ENGLISH_STOP_WORDS if len(word) > 1 or share(word) < 1)
    return sorted(word for word in choice if not word.isdigit())


def presence(texts: Sequence[str], vocabulary: Collection[str]) -> sparse.csr_matrix:
    """Which ``texts`` contain each word of the ``vocabulary``, 0 or 1, (texts, words); no other word is counted."""
    return CountVectorizer(analyzer=words, vocabulary=list(vocabulary), binary=True).transform(texts)


def names(held: sparse.csr_matrix, vocabulary: Sequence[str], groups: np.ndarray) -> list[str]:
    """For each group of texts, the words that are commoner in it than elsewhere: at most `TOP`, the strongest first.

    A word's strength is share x log(share / share elsewhere), with half a text added to each count: what it adds to
    the divergence of the group from the rest.

    Args:
        held: (texts, words), see `presence`.
        vocabulary: the words.
        groups: (texts,), the group of each text, in [0, count); negative for none.

    Returns:
        For each group its words, separated by commas.
    """
    named = []
    for group in range(int(groups.max()) + 1):
        inside = groups == group
        counts = [np.asarray(held[side].sum(axis=0)).ravel() for side in (inside, ~inside)]
        here, elsewhere = (
            (count + 0.5) / (side.sum() + 1) for count, side in zip(counts, (inside, ~inside), strict=True)
        )
        strength = np.where(counts[0] >= LEAST_RECORDS, here * np.log(here / elsewhere), 0)
        best = [i for i in np.argsort(-strength, kind="stable")[:TOP] if strength[i] > 0]
        named.append(", ".join(vocabulary[i] for i in best) or "(no public word stands out)")
    return named


def word_shares(
    groups: Mapping[str, Sequence[str]], vocabulary: Collection[str], *, top: int = TOP_WORDS
) -> tuple[dict[str, np.ndarray], dict[int, str]]:
    """How often each set uses each of the most frequent words, and which of these words may be shown.

    Args:
        groups: texts by set.
        vocabulary: the words that may be shown.
        top: how many of the most frequent words of all sets are counted.

    Returns:
        Shares of the set's words by set, (words,), and the words of ``vocabulary`` by their place. The other words stay
        unnamed.
    """
    counter = CountVectorizer(analyzer=words, max_features=top)
    counter.fit(text for texts in groups.values() for text in texts)
    counts = {name: np.asarray(counter.transform(texts).sum(axis=0)).ravel() for name, texts in groups.items()}
    public = set(vocabulary)
    named = {int(i): word for word, i in counter.vocabulary_.items() if word in public}
    return {name: count / max(1, count.sum()) for name, count in counts.items()}, named
