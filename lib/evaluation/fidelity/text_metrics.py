"""Metrics of the texts themselves: lengths, words, labels, and the shares of defective texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import wasserstein_distance
from sklearn.feature_extraction.text import CountVectorizer

from lib.common.errors import DoppelError
from lib.data.processing import CONTROLS
from lib.data.tokenize import is_finished, sentences, words
from lib.evaluation.estimate import Estimate
from lib.evaluation.fidelity.metric_input import TextPair
from lib.generation.engines.base import Completion
from lib.generation.rejection import rejection

TOP_WORDS = 1000  # the most frequent words of both sides, over which words are compared

_NOT_TEXT = re.compile("\ufffd|" + CONTROLS.pattern)


@dataclass(frozen=True)
class Lengths:
    """Lengths in words (`lib.data.tokenize.words`).

    Args:
        records: (n,), of each record.
        sentences: (sentences,), of each sentence.
        of_record: (sentences,), the record that each sentence belongs to, in [0, n).
    """

    records: np.ndarray
    sentences: np.ndarray
    of_record: np.ndarray


def lengths(texts: Sequence[str]) -> Lengths:
    """Lengths of ``texts`` and of their sentences. A text without a word has length 0 and no sentence."""
    by_text = [[len(sentence) for sentence in sentences(text)] for text in texts]
    records = np.array([sum(own) for own in by_text], int)
    owner = np.repeat(np.arange(len(texts)), [len(own) for own in by_text])
    return Lengths(records, np.array([length for own in by_text for length in own], int), owner)


def length_distance(real: np.ndarray, synthetic: np.ndarray) -> float:
    """1-Wasserstein distance between two sets of lengths, in words; >= 0, 0 is best.

    Args:
        real: (n,), in words.
        synthetic: (m,), in words.

    Raises:
        DoppelError: a side is empty.
    """
    _check_sides("length distance", "lengths", real, synthetic)
    return float(wasserstein_distance(real, synthetic))


def word_counts(texts: Sequence[str], top: int | None = TOP_WORDS) -> sparse.csr_matrix:
    """How often each text uses each of the most frequent words, (n, words); case is ignored.

    Args:
        texts: n plain texts.
        top: how many of the most frequent words of all texts are counted; None: all.

    Raises:
        DoppelError: no text has a word.
    """
    if not any(words(text) for text in texts):
        raise _no_words("words", len(texts))
    return CountVectorizer(analyzer=words, max_features=top).fit_transform(texts)


def jensen_shannon(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Jensen-Shannon divergence of two tables of counts, base 2, in [0, 1]; 0 is best (Lin 1991).

    Args:
        real: (words,), how often real text uses each word.
        synthetic: (words,), how often synthetic text uses each word.

    Raises:
        DoppelError: a side uses none of the words.
    """
    if not real.sum() or not synthetic.sum():
        raise DoppelError(
            "evaluation.no_counted_word",
            "Jensen-Shannon divergence: one side has none of the words",
            remedy="compare more records",
        )
    p, q = real / real.sum(), synthetic / synthetic.sum()
    middle = (p + q) / 2
    return float(sum((side[side > 0] * np.log2(side[side > 0] / middle[side > 0])).sum() for side in (p, q)) / 2)


def label_distance(real: Sequence[str], synthetic: Sequence[str]) -> float:
    """Total variation between two distributions of one label's values, in [0, 1]; 0 is best.

    Args:
        real: the label's value in each real record, (n,).
        synthetic: the label's value in each synthetic record, (m,).

    Raises:
        DoppelError: a side is empty.
    """
    _check_sides("label distance", "labels", real, synthetic)
    _, places = np.unique([*real, *synthetic], return_inverse=True)
    p, q = (np.bincount(side, minlength=places.max() + 1) for side in (places[: len(real)], places[len(real) :]))
    return float(np.abs(p / len(real) - q / len(synthetic)).sum() / 2)


def defects(text: str) -> set[str]:
    """What is wrong with a ``text``, as names of metrics.

    ``non_text``: control characters, broken bytes, a model's markup, no letters, or nothing at all. ``repetitive``: by
    the rules of `lib.generation.rejection.rejection`. ``abrupt``: no mark that ends a sentence (see
    `lib.data.tokenize.is_finished`). Many real texts end without a full stop: read each share beside that of real text.
    """
    wrong = set() if is_finished(text) else {"abrupt"}
    reason = rejection(Completion(text, 0, ended=True), "", ())
    if reason == "repetitive":
        wrong.add("repetitive")
    elif reason is not None or _NOT_TEXT.search(text):
        wrong.add("non_text")
    return wrong


def defect_table(texts: Sequence[str]) -> dict[str, np.ndarray]:
    """Which ``texts`` have each of the `defects`, bool (n,) by metric; ``broken`` is any of them except ``abrupt``.

    Raises:
        DoppelError: there is no text.
    """
    if not len(texts):
        raise DoppelError(
            "evaluation.no_texts",
            "broken texts: there are none to look at",
            name="texts",
            value=0,
            remedy="leave this arm out",
        )
    by_text = [defects(text) for text in texts]
    table = {name: np.array([name in wrong for wrong in by_text]) for name in ("non_text", "repetitive", "abrupt")}
    return table | {"broken": table["non_text"] | table["repetitive"]}


def length_distances(pair: TextPair) -> dict[str, Estimate]:
    """``record_length_w1`` and ``sentence_length_w1``: `length_distance` of the records and sentences of a ``pair``.

    Raises:
        DoppelError: a side has no word.
    """
    real, synthetic = lengths(pair.real), lengths(pair.synthetic)
    for side in (real, synthetic):
        if not side.records.any():
            raise _no_words("lengths", len(side.records))

    def statistic(real_rows: np.ndarray, rows: np.ndarray) -> dict[str, float]:
        drawn = ((real, real_rows), (synthetic, rows))
        of_sentences = [side.sentences[np.isin(side.of_record, chosen)] for side, chosen in drawn]
        return {
            "record_length_w1": length_distance(*(side.records[chosen] for side, chosen in drawn)),
            "sentence_length_w1": length_distance(*of_sentences),
        }

    return pair.estimate(statistic)


def word_divergence(pair: TextPair) -> dict[str, Estimate]:
    """``word_jsd``: `jensen_shannon` of the `TOP_WORDS` most frequent words of both sides of a ``pair``."""
    counts = word_counts([*pair.real, *pair.synthetic])
    real, synthetic = counts[: len(pair.real)], counts[len(pair.real) :]

    def total(side: sparse.csr_matrix) -> np.ndarray:
        return np.asarray(side.sum(axis=0)).ravel()

    return pair.estimate(
        lambda real_rows, rows: {"word_jsd": jensen_shannon(total(real[real_rows]), total(synthetic[rows]))}
    )


def defect_shares(pair: TextPair) -> dict[str, Estimate]:
    """``broken``, ``non_text``, ``repetitive`` and ``abrupt``: shares of the synthetic texts of a ``pair``."""
    table = {name: wrong.astype(float) for name, wrong in defect_table(pair.synthetic).items()}
    return pair.estimate(lambda _, rows: {name: float(wrong[rows].mean()) for name, wrong in table.items()})


def label_total_variation(pair: TextPair) -> dict[str, Estimate]:
    """``tv``: `label_distance` of a ``pair`` whose sides are the values of one label, in place of texts."""
    real, synthetic = np.asarray(pair.real), np.asarray(pair.synthetic)
    return pair.estimate(lambda real_rows, rows: {"tv": label_distance(real[real_rows], synthetic[rows])})


def _check_sides(metric: str, items: str, real: Sequence, synthetic: Sequence) -> None:
    if not len(real) or not len(synthetic):
        raise DoppelError(
            "evaluation.empty_side",
            f"{metric}: {len(real)} real and {len(synthetic)} synthetic {items}, neither may be 0",
            name="synthetic" if len(real) else "real",
            value=0,
            remedy="add records",
        )


def _no_words(metric: str, texts: int) -> DoppelError:
    return DoppelError(
        "evaluation.no_words",
        f"{metric}: {texts} texts contain no word",
        name="texts",
        value=texts,
        remedy="leave this arm out, or generate it again",
    )
