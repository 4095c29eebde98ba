"""Train on synthetic and test on real (TSTR), and the reverse (TRTS), for one label and one kind of classifier.

Esteban, Hyland & Rätsch 2017 (arXiv:1706.02633). The ceiling of the first is a model trained on as many real records;
the ceiling of the second is the same real model tested on held-out real records.
"""

from collections.abc import Callable

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation.comparison_sets import HELD_OUT, REAL, Sets
from lib.evaluation.estimate import BySet, Undefined
from lib.evaluation.metric import Direction
from lib.evaluation.utility.linear_classifiers import Fit
from lib.evaluation.utility.training_resamples import LEAST_SEEDS, Repeated, over_trainings, training_rows

# name: what is better. Synthetic text that is easier to read than real text lies beyond the reverse's ceiling.
METRICS: dict[str, Direction] = {
    "accuracy": "higher",
    "macro_f1": "higher",
    "reverse_accuracy": "match",
    "reverse_macro_f1": "match",
}
HEADLINE = ("macro_f1",)  # accuracy flatters whoever says the most frequent label


def accuracy(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Share of right predictions, in [0, 1], higher is better; both arrays (n,)."""
    return float(np.mean(predicted == truth))


def macro_f1(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Mean over the labels in ``truth`` of F1 = 2 TP / (2 TP + FP + FN), in [0, 1], higher is better.

    ``predicted`` and ``truth`` (n,) hold numbers 0, 1, ...; a label that is never right counts 0, however rare.
    """
    size = int(max(predicted.max(), truth.max())) + 1
    right = np.bincount(truth[predicted == truth], minlength=size)
    either = np.bincount(truth, minlength=size) + np.bincount(predicted, minlength=size)  # 2 TP + FP + FN
    present = np.unique(truth)
    return float(np.mean(2 * right[present] / either[present]))


def majority_rate(truth: np.ndarray) -> float:
    """Accuracy of always saying the most frequent label of ``truth`` (n,): what any classifier has to beat."""
    return float(np.bincount(truth).max() / len(truth))


SCORES = {"accuracy": accuracy, "macro_f1": macro_f1}


def transfer(
    sets: Sets,
    label: str,
    fit: Fit,
    *,
    seeds: int,
    draws: int,
    seed: int,
    reverse: bool = True,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, BySet]:
    """Every metric of `METRICS`, by set; without ``reverse`` the first two. An arm that lacks the label is `Undefined`.

    A set with a single value of the label trains a model that always says it: its accuracy is that value's share.

    Args:
        progress: called after each of (arms + 1) x ``seeds`` trainings.
    """
    codes, _ = sets.codes(label)
    held_out = sets.rows[HELD_OUT]
    judged = {name: sets.rows[name][: len(held_out)] for name in sets.arms} | {REAL: held_out[: sets.n]}  # of one size
    found: dict[str, BySet] = {name: {} for name in (METRICS if reverse else SCORES)}
    lacking = {name: int((codes[sets.rows[name]] < 0).sum()) for name in sets.arms}
    for name in (*sets.arms, REAL):
        tests = np.concatenate([held_out, *judged.values()]) if reverse and name == REAL else held_out
        try:
            if count := lacking.get(name, 0):
                raise DoppelError(f"{count} of {sets.n} records of arm {name!r} have no label {label!r}")
            trained = training_rows(sets.rows[name], seeds=seeds, seed=seed)
            predicted = np.stack([_predict(fit, one, codes, tests, s, progress) for s, one in enumerate(trained)])
        except DoppelError as error:
            for metric in SCORES:
                found[metric][name] = Undefined(str(error))
            continue
        for metric, score in SCORES.items():
            found[metric][name] = _estimate(score, predicted[:, : len(held_out)], codes[held_out], draws, seed)
    if not reverse:
        return found
    if isinstance(found["accuracy"][REAL], Undefined):
        return found | {f"reverse_{metric}": dict.fromkeys(judged, found["accuracy"][REAL]) for metric in SCORES}
    start = len(held_out)
    for name, rows in judged.items():
        seen, start = predicted[:, start : start + len(rows)], start + len(rows)
        for metric, score in SCORES.items():
            found[f"reverse_{metric}"][name] = (
                found["accuracy"][name] if lacking.get(name) else _estimate(score, seen, codes[rows], draws, seed)
            )
    return found


def _predict(
    fit: Fit, rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int, progress: Callable[[], object]
) -> np.ndarray:
    own = codes[rows]
    predicted = fit(rows, own, tests, seed) if len(np.unique(own)) > 1 else np.full(len(tests), own[0])
    progress()
    return predicted


def _estimate(
    score: Callable[[np.ndarray, np.ndarray], float], predicted: np.ndarray, truth: np.ndarray, draws: int, seed: int
) -> Repeated:
    return over_trainings(
        lambda one, rows: score(one[rows], truth[rows]), predicted, draws=draws, seed=seed, apart=LEAST_SEEDS
    )
