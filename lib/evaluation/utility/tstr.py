"""Train on synthetic, test on real (TSTR), and the reverse (TRTS), for one label and one type of classifier.

Esteban, Hyland & Rätsch 2017 (arXiv:1706.02633). The ceiling of TSTR is a model trained on as many real records; the
ceiling of TRTS is that same real model tested on held-out real records.
"""

from collections.abc import Callable, Sequence

import numpy as np

from lib.common.errors import DoppelError
from lib.evaluation import registry
from lib.evaluation.comparison_sets import HELD_OUT, REAL, Sets
from lib.evaluation.estimate import BySet, Undefined
from lib.evaluation.utility.linear_classifiers import Fit
from lib.evaluation.utility.training_resamples import LEAST_SEEDS, Repeated, over_trainings, training_rows

Predictions = np.ndarray | Undefined  # predicted label codes, (trainings, tests), or why there are none
HEADLINE = registry.headline("transfer")
REVERSE = "reverse_"  # begins the names of the metrics of TRTS


def accuracy(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Share of correct predictions, in [0, 1], higher is better; ``predicted`` and ``truth`` are both (n,)."""
    return float(np.mean(predicted == truth))


def macro_f1(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Mean over the labels in ``truth`` of F1 = 2 TP / (2 TP + FP + FN), in [0, 1], higher is better.

    ``predicted`` and ``truth``, both (n,), hold label codes 0, 1, ...; a label that is never predicted correctly counts
    as 0, however rare it is.
    """
    # the value of sklearn's f1_score to the last bit, without its input checks, which take 100 times as long: every
    # interval calls this a few hundred times
    size = int(max(predicted.max(), truth.max())) + 1
    right = np.bincount(truth[predicted == truth], minlength=size)
    either = np.bincount(truth, minlength=size) + np.bincount(predicted, minlength=size)  # 2 TP + FP + FN
    present = np.unique(truth)
    return float(np.mean(2 * right[present] / either[present]))


def majority_rate(truth: np.ndarray) -> float:
    """Accuracy of always predicting the most frequent label in ``truth`` (n,): what a classifier has to beat."""
    return float(np.bincount(truth).max() / len(truth))


def scores() -> dict[str, Callable[[np.ndarray, np.ndarray], float]]:
    """The functions of predicted and true label codes behind the metrics of TSTR, by metric."""
    return {entry.name: entry.function() for entry in registry.family("transfer") if not entry.name.startswith(REVERSE)}


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
    """Every metric of the family ``transfer`` by set. Real text enters all of them: evaluation only.

    An arm whose records lack the label, or on which no classifier can be trained, is `Undefined`. An arm with a single
    value of the label counts as a model that always predicts it.

    Args:
        sets: the arms, the real records (`REAL`, the ceiling) and the held-out ones.
        label: the label to predict.
        fit: trains a classifier and predicts.
        seeds: trainings on each set, at least 3.
        draws: draws of each interval.
        seed: of the training rows and the draws.
        reverse: whether to compute the reverse metrics too.
        progress: called after each of (arms + 1) x ``seeds`` trainings.

    Raises:
        DoppelError: a held-out record lacks the label.
    """
    codes, _ = sets.codes(label)
    held_out = sets.rows[HELD_OUT]
    judged = {name: sets.rows[name][: len(held_out)] for name in sets.arms} | {REAL: held_out[: sets.n]}  # of one size
    lacking = {name: int((codes[sets.rows[name]] < 0).sum()) for name in sets.arms}

    def predictions(name: str, tests: np.ndarray) -> Predictions:
        return _predictions(fit, name, label, sets.rows[name], codes, tests, seeds=seeds, seed=seed, progress=progress)

    tests = [held_out, *judged.values()] if reverse else [held_out]
    predicted = {name: predictions(name, held_out) for name in sets.arms}
    predicted[REAL], *by_real = _split(predictions(REAL, np.concatenate(tests)), [len(rows) for rows in tests])
    forward = {name: (outcome, codes[held_out]) for name, outcome in predicted.items()}
    backward = {}
    for (name, rows), outcome in zip(judged.items() if reverse else (), by_real, strict=True):
        if lacking.get(name) and not isinstance(outcome, Undefined):
            outcome = predicted[name]  # undefined: there is no true label to compare with
        backward[name] = outcome, codes[rows]
    return {
        entry.name: {
            name: _estimate(entry.function(), *outcome, draws=draws, seed=seed)
            for name, outcome in (backward if entry.name.startswith(REVERSE) else forward).items()
        }
        for entry in registry.family("transfer")
        if reverse or not entry.name.startswith(REVERSE)
    }


def numbers(records: int, sizes: Sequence[int]) -> list[int]:
    """The numbers of records at which a set is measured: the ``sizes`` below its ``records``, and all of them."""
    return sorted({size for size in sizes if size < records} | {records})


def by_size(
    sets: Sets,
    label: str,
    fit: Fit,
    *,
    sizes: Sequence[int],
    seeds: int,
    draws: int,
    seed: int,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, dict[int, Repeated | Undefined]]:
    """Macro-F1 on the held-out records by set and by the number of records trained on. Evaluation only.

    Synthetic records can be written without end, so a set that is worth less record by record may be worth more as a
    whole. As everywhere, each training sees another two thirds of the records.

    Args:
        sets: the arms, and the training records as `REAL`.
        label: the label to predict.
        fit: trains a classifier and predicts.
        sizes: numbers of records; a set is measured at those that it has, and at all of its records.
        seeds: trainings at each number, at least 3.
        draws: draws of each interval.
        seed: of the training rows and the draws.
        progress: called after each training: ``seeds`` times for each of the `numbers` of a set.

    Raises:
        DoppelError: a held-out record lacks the label.
    """
    codes, tests = sets.codes(label)[0], sets.rows[HELD_OUT]
    found: dict[str, dict[int, Repeated | Undefined]] = {}
    for name, rows in sets.whole.items():
        trained = {
            n: _predictions(fit, name, label, rows[:n], codes, tests, seeds=seeds, seed=seed, progress=progress)
            for n in numbers(len(rows), sizes)
        }
        found[name] = {
            n: _estimate(macro_f1, outcome, codes[tests], draws=draws, seed=seed) for n, outcome in trained.items()
        }
    return found


def _predictions(
    fit: Fit,
    name: str,
    label: str,
    rows: np.ndarray,
    codes: np.ndarray,
    tests: np.ndarray,
    *,
    seeds: int,
    seed: int,
    progress: Callable[[], object],
) -> Predictions:
    """Predicted codes (trainings, tests) of classifiers trained on two thirds of the ``rows`` of a set."""
    if count := int((codes[rows] < 0).sum()):
        return Undefined(f"{count} of {len(rows)} records of arm {name!r} have no label {label!r}")
    try:
        trainings = training_rows(rows, seeds=seeds, seed=seed)
        return np.stack([_predict(fit, one, codes, tests, s, progress) for s, one in enumerate(trainings)])
    except DoppelError as error:
        return Undefined(str(error))


def _split(predicted: Predictions, sizes: Sequence[int]) -> list[Predictions]:
    """Predictions (trainings, tests) cut into groups of ``sizes`` tests."""
    if isinstance(predicted, Undefined):
        return [predicted] * len(sizes)
    return np.split(predicted, np.cumsum(sizes)[:-1], axis=1)


def _predict(
    fit: Fit, rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int, progress: Callable[[], object]
) -> np.ndarray:
    own = codes[rows]
    predicted = fit(rows, own, tests, seed) if len(np.unique(own)) > 1 else np.full(len(tests), own[0])
    progress()
    return predicted


def _estimate(
    score: Callable[[np.ndarray, np.ndarray], float],
    predicted: Predictions,
    truth: np.ndarray,
    *,
    draws: int,
    seed: int,
) -> Repeated | Undefined:
    """The score of predictions (trainings, tests) against the true codes (tests,)."""
    if isinstance(predicted, Undefined):
        return predicted
    return over_trainings(
        lambda outcome, rows: score(outcome[rows], truth[rows]),
        predicted,
        draws=draws,
        seed=seed,
        separate=LEAST_SEEDS,
    )
