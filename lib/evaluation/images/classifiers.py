"""Classifiers of pictures that are trained on synthetic ones and tested on real ones: nearest neighbour, logistic, CNN.

Each is a `lib.evaluation.utility.linear_classifiers.Fit` on one pool of pictures. The pixels of the first two are
blurred by nothing: the votes see blurred ones, so neither shares their space exactly.
"""

import numpy as np

from lib.evaluation.comparison_sets import HELD_OUT, REAL, Sets
from lib.evaluation.images.small_network import SmallNetwork
from lib.evaluation.utility.linear_classifiers import Fit

REGULARISATION = 0.1  # C of scikit-learn, for pixels between 0 and 1
STEPS = 150  # batches that a network is trained on: some thirty times 300 pictures


def nearest_neighbour(pictures: np.ndarray) -> Fit:
    """The label of the nearest picture, by Euclidean distance of pixels.

    Args:
        pictures: the pool, uint8, shape (n, height, width) or (n, height, width, 3).
    """
    from sklearn.neighbors import KNeighborsClassifier

    pixels = _pixels(pictures)

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        return KNeighborsClassifier(1, algorithm="brute").fit(pixels[rows], codes).predict(pixels[tests])

    return fit


def logistic(pictures: np.ndarray) -> Fit:
    """Logistic regression on pixels; ``pictures`` as `nearest_neighbour` takes them."""
    from sklearn.linear_model import LogisticRegression

    pixels = _pixels(pictures)

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        model = LogisticRegression(C=REGULARISATION, max_iter=200)
        return model.fit(pixels[rows], codes).predict(pixels[tests])

    return fit


def network(pictures: np.ndarray) -> Fit:
    """A small convolutional network; ``pictures`` as `nearest_neighbour` takes them."""

    def fit(rows: np.ndarray, codes: np.ndarray, tests: np.ndarray, seed: int) -> np.ndarray:
        made = SmallNetwork(pictures[rows], codes, int(codes.max()) + 1, steps=STEPS, seed=seed)
        return made.predict(pictures[tests])

    return fit


CLASSIFIERS = {"nearest neighbour": nearest_neighbour, "logistic": logistic, "network": network}


def _pixels(pictures: np.ndarray) -> np.ndarray:
    """Between 0 and 1, float32, (n, pixels)."""
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255


def right_by_class(sets: Sets, label: str, fit: Fit, *, seed: int = 0) -> dict[str, list[float | None]]:
    """The share of the held-out records of each class that a classifier recognises.

    Args:
        sets: the arms, the real records and the held-out ones.
        label: to predict.
        fit: trains a classifier and predicts.
        seed: of the training.

    Returns:
        By set, arms and `REAL`, the share for each value of the label in the order of `Sets.codes`; None for a class
        without a held-out record.
    """
    codes, values = sets.codes(label)
    tests = sets.rows[HELD_OUT]
    shares = {}
    for name in (*sets.arms, REAL):
        right = fit(sets.rows[name], codes[sets.rows[name]], tests, seed) == codes[tests]
        own = [right[codes[tests] == code] for code in range(len(values))]
        shares[name] = [float(one.mean()) if len(one) else None for one in own]
    return shares
