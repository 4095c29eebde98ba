"""Scores of predicted labels: accuracy, macro-F1, and the rate of the most frequent label."""

import numpy as np


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
