"""Feature-importance consistency: do models of synthetic and of real text rely on the same words?

Permutation importance (Breiman 2001) of a word: how much the log loss on one shared set of real test records rises when
the word's column is shuffled among the records. Log loss moves with every record; accuracy moves only where a
prediction flips.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from lib.common.errors import DoppelError
from lib.evaluation import registry
from lib.evaluation.comparison_sets import HELD_OUT, REAL, REAL_AGAIN, Sets
from lib.evaluation.estimate import BySet, Undefined
from lib.evaluation.utility.linear_classifiers import TFIDF_REGULARISATION, read_words
from lib.evaluation.utility.training_resamples import LEAST_SEEDS, each_over_trainings, training_rows

TOP = 20  # words
LOGITS_AT_ONCE = 1_000_000  # logits of shuffled words held in memory: 8 MB
MIN_PROBABILITY = 1e-6  # so a label that the model does not know costs 13.8 nats, not infinity


@dataclass(frozen=True)
class Importance:
    """Permutation importances of one model.

    Attributes:
        words: the model's vocabulary.
        rises: rise of each test record's log loss when a word is shuffled, in nats, (tests, words).
    """

    words: list[str]
    rises: np.ndarray


def importance(
    model: LogisticRegression, features: np.ndarray, truth: np.ndarray, words: list[str], orders: np.ndarray
) -> Importance:
    """Permutation importance of every word for every test record (Breiman 2001).

    Args:
        model: a fitted logistic regression; its classes are label codes.
        features: its input for the test records, dense, (tests, words).
        truth: label codes of the test records, (tests,).
        words: the word of each column of ``features``.
        orders: permutations of the test records, (repeats, tests); each shuffles every column separately, and the
            rises are means over them.
    """
    weights, intercepts = model.coef_, model.intercept_
    if len(weights) == 1:  # with two labels scikit-learn keeps only the logit of the second
        weights, intercepts = np.stack([0 * weights[0], weights[0]]), np.array([0.0, intercepts[0]])
    logits = features @ weights.T + intercepts
    before = _log_losses(logits, truth, model.classes_)
    rises, present = np.zeros(features.shape), np.flatnonzero(features.any(axis=0))
    at_once = max(1, LOGITS_AT_ONCE // (orders.size * len(model.classes_)))
    for start in range(0, len(present), at_once):
        chunk = present[start : start + at_once]
        columns = features[:, chunk].T  # (words, tests)
        change = columns[:, orders] - columns[:, None]  # (words, repeats, tests)
        shuffled = logits + change[..., None] * weights[:, chunk].T[:, None, None]  # (words, repeats, tests, labels)
        rises[:, chunk] = _log_losses(shuffled, truth, model.classes_).mean(axis=1).T - before[:, None]
    return Importance(words, rises)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation of the importances ``a`` and ``b``, both (words,); in [-1, 1], higher is better.

    A few words have most of the importance, and they decide it. It is 0 where either side gives all words the same.
    """
    if min(side.std() for side in (a, b)) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of the importances ``a`` and ``b``, both (words,); in [-1, 1], higher is better.

    The many words of almost no importance decide it. It is 0 where either side gives all words the same importance.
    """
    return correlation(rankdata(a), rankdata(b))


def top_jaccard(a: np.ndarray, b: np.ndarray, top: int = TOP) -> float:
    """Jaccard index of the ``top`` most important words of ``a`` and of ``b``, both (words,); in [0, 1].

    Higher is better. Words without importance, or whose loss falls when they are shuffled, are never counted as
    important, so a side may have fewer than ``top``.
    """
    best = [{i for i in np.argsort(-side, kind="stable")[:top] if side[i] > 0} for side in (a, b)]
    either = best[0] | best[1]
    return len(best[0] & best[1]) / len(either) if either else 0.0


def aligned(a: Importance, b: Importance) -> np.ndarray:
    """Rises of ``a`` and ``b`` over the union of their words, (tests, 2, words).

    A word that is not in a model's vocabulary has importance 0 there.
    """
    union = sorted({*a.words, *b.words})
    column = {word: i for i, word in enumerate(union)}
    both = np.zeros((len(a.rises), 2, len(union)))
    for side, importances in enumerate((a, b)):
        both[:, side, [column[word] for word in importances.words]] = importances.rises
    return both


def consistency(
    sets: Sets,
    label: str,
    *,
    features: int,
    repeats: int,
    seeds: int,
    draws: int,
    seed: int,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, BySet]:
    """Every metric of the family ``importance`` between each arm and `REAL`. Real text enters: evaluation only.

    The ceiling, under the name `REAL`, compares two halves of the real records. A set on which no model can be trained
    is `Undefined`.

    Args:
        sets: the arms, two sets of real records, and the held-out records on which importance is measured.
        label: the label that the models predict.
        features: size of each model's vocabulary, its most frequent words.
        repeats: shuffles of each word.
        seeds: trainings on each set, at least 3.
        draws: draws of each interval.
        seed: of the training rows, the shuffles and the draws.
        progress: called after each arm, and after `REAL`.
    """
    entries, codes = registry.family("importance"), sets.codes(label)[0]
    orders = _orders(len(sets.rows[HELD_OUT]), repeats, seed)

    def trained(name: str) -> list[Importance]:
        rows = training_rows(sets.rows[name], seeds=seeds, seed=seed)
        return [_trained_importance(sets, label, codes, one_training, features, orders) for one_training in rows]

    try:
        reference = trained(REAL)
    except DoppelError as error:
        return {entry.name: dict.fromkeys((*sets.arms, REAL), Undefined(str(error))) for entry in entries}
    measured: dict[str, BySet] = {entry.name: {} for entry in entries}
    for name in (*sets.arms, REAL):
        try:
            importances = trained(REAL_AGAIN if name == REAL else name)
        except DoppelError as error:
            for entry in entries:
                measured[entry.name][name] = Undefined(str(error))
            progress()
            continue
        pairs = _stacked([aligned(a, b) for a, b in zip(importances, reference, strict=True)])
        functions = [entry.function() for entry in entries]
        statistics = [lambda means, function=function: function(*means) for function in functions]
        found = each_over_trainings(_mean_importances, statistics, pairs, draws=draws, seed=seed, separate=LEAST_SEEDS)
        for entry, one in zip(entries, found, strict=True):
            measured[entry.name][name] = one
        progress()
    return measured


def _orders(tests: int, repeats: int, seed: int) -> np.ndarray:
    """Permutations of the test records, (repeats, tests)."""
    return np.stack([np.random.default_rng([seed, repeat]).permutation(tests) for repeat in range(repeats)])


def _trained_importance(
    sets: Sets, label: str, codes: np.ndarray, rows: np.ndarray, features: int, orders: np.ndarray
) -> Importance:
    """Train on ``rows`` of the pool and measure importances on the held-out records."""
    own = codes[rows]
    if (own < 0).any() or len(np.unique(own)) < 2:
        values = len(np.unique(own[own >= 0]))
        raise DoppelError(
            "evaluation.single_label_value",
            f"a training set has {values} values of label {label!r}, a classifier needs 2",
            name=label,
            value=values,
        )
    texts, held_out = [sets.texts[i] for i in rows], sets.rows[HELD_OUT]
    reader = read_words(texts, features)
    model = LogisticRegression(C=TFIDF_REGULARISATION, max_iter=300).fit(reader.transform(texts), own)
    seen = reader.transform([sets.texts[i] for i in held_out]).toarray()
    return importance(model, seen, codes[held_out], list(reader.get_feature_names_out()), orders)


def _stacked(pairs: list[np.ndarray]) -> np.ndarray:
    """Pairs of several trainings in one array, (trainings, tests, 2, words); NaN fills smaller vocabularies."""
    width = max(pair.shape[2] for pair in pairs)
    padding = [((0, 0), (0, 0), (0, width - pair.shape[2])) for pair in pairs]
    return np.stack([np.pad(pair, pad, constant_values=np.nan) for pair, pad in zip(pairs, padding, strict=True)])


def _mean_importances(pair: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Importances (2, words) on ``rows`` of the test records, without the columns that `_stacked` added.

    By weights of the records: their rows are large, and there are hundreds of draws, so none is copied.
    """
    weights = np.bincount(rows, minlength=len(pair)) / len(rows)
    return (weights @ pair.reshape(len(pair), -1)).reshape(pair.shape[1:])[:, ~np.isnan(pair[0, 0])]


def _log_losses(logits: np.ndarray, truth: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Log loss of each record in nats, (..., n), from logits (..., n, labels)."""
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    right = (shares * (classes == truth[:, None])).sum(axis=-1) / shares.sum(axis=-1)
    return -np.log(np.maximum(right, MIN_PROBABILITY))
