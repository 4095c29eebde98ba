"""Classifier two-sample test: can a linear model tell the two sets apart, when lengths do not give them away?"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from lib.common.errors import DoppelError
from lib.evaluation.fidelity.pairwise import centred

FOLDS = 5
REGULARISATION = 0.01  # C of scikit-learn
BINS_PER_DOUBLING = 4  # lengths within 19% of each other count as equal


def match_lengths(real: np.ndarray, synthetic: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both sets, sorted, equally many of either in every class of length: the largest such choice, at random.

    ``real`` (n,) and ``synthetic`` (m,) are lengths in words; classes are quarters of a doubling.
    """
    bins = [np.round(BINS_PER_DOUBLING * np.log2(np.asarray(side) + 1)).astype(int) for side in (real, synthetic)]
    chosen = [], []
    for one in np.intersect1d(*bins):
        rows = [np.flatnonzero(side == one) for side in bins]
        for side, members in zip(chosen, rows, strict=True):
            side.append(rng.permutation(members)[: min(map(len, rows))])
    if not chosen[0]:
        raise DoppelError(
            "no real and synthetic record have a like length; compare lengths first, no match is possible"
        )
    return tuple(np.sort(np.concatenate(side)) for side in chosen)


def two_sample_accuracy(real: np.ndarray, synthetic: np.ndarray, *, seed: int) -> float:
    """Cross-validated accuracy of logistic regression on (n, d) and (n, d) embeddings, in [0, 1]; 0.5 is best.

    Lopez-Paz & Oquab 2017. Both sets need the same size; pass rows chosen by `match_lengths`, or the model may use
    length alone. Features are standardised within each of `FOLDS` folds.
    """
    real, synthetic = centred("two-sample test", real, synthetic, least=FOLDS)
    if len(real) != len(synthetic):
        raise DoppelError(f"two-sample test: {len(real)} real, {len(synthetic)} synthetic records; match them first")
    features = StandardScaler().fit_transform(np.concatenate([real, synthetic]))  # blind to which is which
    labels = np.repeat([0, 1], len(real))
    model = LogisticRegression(C=REGULARISATION, max_iter=200, tol=1e-3)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, labels)
    return float(
        np.mean(
            [model.fit(features[train], labels[train]).score(features[test], labels[test]) for train, test in folds]
        )
    )
