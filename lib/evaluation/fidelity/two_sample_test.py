"""Classifier two-sample test: can a linear model tell the two sets apart when lengths do not give them away?"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.preprocessing import StandardScaler

from lib.common.errors import DoppelError
from lib.evaluation.estimate import Estimate
from lib.evaluation.fidelity.metric_input import EmbeddingPair
from lib.evaluation.fidelity.pairwise import centred

FOLDS = 5
REGULARISATION = 0.01  # C of scikit-learn
BINS_PER_DOUBLING = 4  # lengths within 19% of each other count as equal


def match_lengths(real: np.ndarray, synthetic: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both sets, sorted, equally many of either in every class of length: the largest such choice, at random.

    A class is a quarter of a doubling of the length.

    Args:
        real: (n,), words of each real record.
        synthetic: (m,), words of each synthetic record.
        rng: chooses the rows.

    Raises:
        DoppelError: no class holds records of both sets.
    """
    bins = [np.round(BINS_PER_DOUBLING * np.log2(np.asarray(side) + 1)).astype(int) for side in (real, synthetic)]
    chosen = [], []
    for common in np.intersect1d(*bins):
        rows = [np.flatnonzero(side == common) for side in bins]
        for side, members in zip(chosen, rows, strict=True):
            side.append(rng.permutation(members)[: min(map(len, rows))])
    if not chosen[0]:
        raise DoppelError(
            "evaluation.no_common_length",
            "two-sample test: no real record is about as long as a synthetic one, so none can be matched",
            remedy="compare the lengths first",
        )
    return tuple(np.sort(np.concatenate(side)) for side in chosen)


def two_sample_accuracy(real: np.ndarray, synthetic: np.ndarray, *, seed: int) -> float:
    """Cross-validated accuracy of a logistic regression that tells the sets apart, in [0, 1]; 0.5 is best.

    Lopez-Paz & Oquab 2017. Pass rows chosen by `match_lengths`, or the model may use length alone. Features are
    standardised over both sets together; `FOLDS` folds.

    Args:
        real: (n, d), at least `FOLDS` records.
        synthetic: (n, d), as many records.
        seed: of the folds.

    Raises:
        DoppelError: the embeddings cannot be compared, or the sets differ in size.
    """
    real, synthetic = centred("two-sample test", real, synthetic, least=FOLDS)
    if len(real) != len(synthetic):
        raise DoppelError(
            "evaluation.sizes_differ",
            f"two-sample test: {len(real)} real, {len(synthetic)} synthetic records",
            name="synthetic",
            value=len(synthetic),
            remedy="match them first",
        )
    features = StandardScaler().fit_transform(np.concatenate([real, synthetic]))  # blind to which is which
    labels = np.repeat([0, 1], len(real))
    model = LogisticRegression(C=REGULARISATION, max_iter=200, tol=1e-3)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return float(cross_val_score(model, features, labels, cv=folds).mean())


def length_matched_accuracy(pair: EmbeddingPair) -> dict[str, Estimate]:
    """``two_sample_accuracy``: `two_sample_accuracy` of a ``pair``, matched in length and fitted again in every draw.

    Without lengths the sets are matched in number alone.
    """

    def statistic(real_rows: np.ndarray, rows: np.ndarray) -> dict[str, float]:
        lengths = np.zeros(len(real_rows)), np.zeros(len(rows))
        if pair.lengths is not None:
            lengths = pair.lengths[0][real_rows], pair.lengths[1][rows]
        real_kept, kept = match_lengths(*lengths, np.random.default_rng(pair.seed))
        sides = pair.real[real_rows[real_kept]], pair.synthetic[rows[kept]]
        return {"two_sample_accuracy": two_sample_accuracy(*sides, seed=pair.seed)}

    return pair.estimate(statistic)
