"""Feature-importance consistency: do models of synthetic and of real text find the same words important?

Permutation importance (Breiman 2001): how much the log loss on one shared real test set rises when a word's column is
shuffled among its records. Log loss moves with every record; accuracy moves only where a prediction flips.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from lib.common.errors import DoppelError
from lib.evaluation.comparison_sets import HELD_OUT, REAL, REAL_AGAIN, Sets
from lib.evaluation.estimate import BySet, Undefined
from lib.evaluation.metric import Direction
from lib.evaluation.utility.linear_classifiers import TFIDF_REGULARISATION, read_words
from lib.evaluation.utility.training_resamples import over_trainings, training_rows

METRICS: dict[str, Direction] = {"importance_rank_correlation": "higher", "importance_top20_jaccard": "higher"}
TOP = 20  # words
NUMBERS_AT_ONCE = 1_000_000  # logits of shuffled words: 8 MB
LEAST_SHARE = 1e-6  # of a probability: a label that a model does not know costs 13.8 nats, not infinity


@dataclass(frozen=True)
class Importance:
    """Words of a model, and how much each test record's loss rises without each: (tests, words) in nats."""

    words: list[str]
    rises: np.ndarray


def importance(
    model: LogisticRegression, features: np.ndarray, truth: np.ndarray, words: list[str], orders: np.ndarray
) -> Importance:
    """Rises of the log loss of ``model`` on ``features`` (tests, words) with labels ``truth`` (tests,).

    ``orders`` (repeats, tests) are permutations of the records; each shuffles every column in its turn.
    """
    weights, intercepts = model.coef_, model.intercept_
    if len(weights) == 1:  # two labels: scikit-learn keeps the second one's logit alone
        weights, intercepts = np.stack([0 * weights[0], weights[0]]), np.array([0.0, intercepts[0]])
    logits = features @ weights.T + intercepts
    before = _losses(logits, truth, model.classes_)
    rises, present = np.zeros(features.shape), np.flatnonzero(features.any(axis=0))
    at_once = max(1, NUMBERS_AT_ONCE // (orders.size * len(model.classes_)))
    for start in range(0, len(present), at_once):
        some = present[start : start + at_once]
        columns = features[:, some].T  # (words, tests)
        moved = columns[:, orders] - columns[:, None]  # (words, repeats, tests)
        shuffled = logits + moved[..., None] * weights[:, some].T[:, None, None]  # (words, repeats, tests, labels)
        rises[:, some] = _losses(shuffled, truth, model.classes_).mean(axis=1).T - before[:, None]
    return Importance(words, rises)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation of importances (words,), in [-1, 1]; 0 where one side finds all words equal."""
    ranks = [rankdata(side) for side in (a, b)]
    if min(one.std() for one in ranks) == 0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def top_jaccard(a: np.ndarray, b: np.ndarray, top: int = TOP) -> float:
    """Words among both sides' ``top`` most important over words among either's; in [0, 1].

    A word without importance, or whose loss falls when it is shuffled, is among no side's.
    """
    best = [{i for i in np.argsort(-side, kind="stable")[:top] if side[i] > 0} for side in (a, b)]
    either = best[0] | best[1]
    return len(best[0] & best[1]) / len(either) if either else 0.0


def aligned(a: Importance, b: Importance) -> np.ndarray:
    """Rises of both over the union of their words, (tests, 2, words); a word that a model does not know is 0."""
    union = sorted({*a.words, *b.words})
    place = {word: i for i, word in enumerate(union)}
    both = np.zeros((len(a.rises), 2, len(union)))
    for side, one in enumerate((a, b)):
        both[:, side, [place[word] for word in one.words]] = one.rises
    return both


def consistency(
    sets: Sets, label: str, *, features: int, repeats: int, seeds: int, draws: int, seed: int
) -> dict[str, BySet]:
    """Every metric of `METRICS` between each arm and `REAL`, and for the ceiling between two halves of real records.

    Under the name `REAL` stands the ceiling.
    """
    codes, _ = sets.codes(label)
    held_out = sets.rows[HELD_OUT]
    orders = np.stack([np.random.default_rng([seed, r]).permutation(len(held_out)) for r in range(repeats)])

    def of(rows: np.ndarray) -> Importance:
        own = codes[rows]
        if (own < 0).any() or len(np.unique(own)) < 2:
            raise DoppelError(f"{len(np.unique(own[own >= 0]))} values of label {label!r} in a training; it needs 2")
        reader = read_words([sets.texts[i] for i in rows], features)
        model = LogisticRegression(C=TFIDF_REGULARISATION, max_iter=300)
        model.fit(reader.transform([sets.texts[i] for i in rows]), own)
        seen = reader.transform([sets.texts[i] for i in held_out]).toarray()
        return importance(model, seen, codes[held_out], list(reader.get_feature_names_out()), orders)

    found: dict[str, BySet] = {name: {} for name in METRICS}
    try:
        reference = [of(rows) for rows in training_rows(sets.rows[REAL], seeds=seeds, seed=seed)]
    except DoppelError as error:
        return {name: dict.fromkeys((*sets.arms, REAL), Undefined(str(error))) for name in METRICS}
    for name in (*sets.arms, REAL):
        rows = sets.rows[REAL_AGAIN if name == REAL else name]
        try:
            pairs = [
                aligned(of(one), other)
                for one, other in zip(training_rows(rows, seeds=seeds, seed=seed), reference, strict=True)
            ]
        except DoppelError as error:
            for metric in METRICS:
                found[metric][name] = Undefined(str(error))
            continue
        width = max(pair.shape[2] for pair in pairs)
        padding = [np.pad(pair, ((0, 0), (0, 0), (0, width - pair.shape[2])), constant_values=np.nan) for pair in pairs]
        for metric, score in zip(METRICS, (rank_correlation, top_jaccard), strict=True):
            found[metric][name] = over_trainings(
                lambda pair, rows, score=score: score(*_means(pair, rows)), np.stack(padding), draws=draws, seed=seed
            )
    return found


def _means(pair: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Importances (2, words) on some of the test records; columns that pad a smaller union are left out."""
    return pair[rows][:, :, ~np.isnan(pair[0, 0])].mean(axis=0)


def _losses(logits: np.ndarray, truth: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Log loss of each record in nats, (..., n), of logits (..., n, labels)."""
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    right = (shares * (classes == truth[:, None])).sum(axis=-1) / shares.sum(axis=-1)
    return -np.log(np.maximum(right, LEAST_SHARE))
