"""Scores, agreement and importances, against scikit-learn, published examples and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss

from lib.common.errors import DoppelError
from lib.evaluation.estimate import Undefined
from lib.evaluation.human import agreement
from lib.evaluation.utility import feature_importance
from lib.evaluation.utility.training_resamples import over_trainings, training_rows
from lib.evaluation.utility.tstr import accuracy, macro_f1, majority_rate

_ = np.nan
# Krippendorff 2011, example C: four observers, twelve units, some missing
KRIPPENDORFF_C = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)
# the same, example A: two observers, ten units, two values
KRIPPENDORFF_A = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], float)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_scores_are_those_of_scikit_learn(pairs):
    predicted, truth = np.array(pairs).T
    assert accuracy(predicted, truth) == pytest.approx(accuracy_score(truth, predicted))
    expected = f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    assert macro_f1(predicted, truth) == pytest.approx(expected)
    commonest = np.bincount(truth).argmax()
    assert majority_rate(truth) == pytest.approx(accuracy_score(truth, np.full(len(truth), commonest)))


def alpha(ratings: np.ndarray, level: agreement.Level = "ordinal") -> float:
    return agreement.alpha_estimate(ratings, level, draws=20, seed=0).value


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_published_example(level, published):
    assert alpha(KRIPPENDORFF_C, level) == pytest.approx(published, abs=0.0006)


def test_alpha_of_two_observers_and_two_values():
    assert alpha(KRIPPENDORFF_A, "nominal") == pytest.approx(0.095, abs=0.0006)


def test_alpha_is_one_when_raters_agree_and_about_zero_by_chance():
    rng = np.random.default_rng(0)
    once = rng.integers(1, 6, 400).astype(float)
    assert alpha(np.stack([once, once])) == 1
    assert abs(alpha(rng.integers(1, 6, (3, 400)).astype(float))) < 0.1


@pytest.mark.parametrize(
    ("ratings", "level", "why"),
    [
        (np.array([[1, _], [_, 2]]), "ordinal", "no item was rated by two"),
        (np.full((2, 5), 3.0), "ordinal", "all ratings are equal"),
        (KRIPPENDORFF_C, "nominl", "did you mean nominal"),
    ],
)
def test_alpha_that_is_not_defined_says_why(ratings, level, why):
    found = agreement.alpha_estimate(ratings, level, draws=20, seed=0)
    assert isinstance(found, Undefined) and why in found.because


def test_alphas_interval_holds_its_value():
    found = agreement.alpha_estimate(KRIPPENDORFF_C, draws=200, seed=1)
    low, high = found.interval
    assert low < found.value < high and found.value == pytest.approx(0.815, abs=0.001)


@pytest.mark.parametrize("labels", [2, 3])
def test_importances_are_brute_force_and_scikit_learns(labels):
    rng = np.random.default_rng(2)
    features = rng.normal(size=(60, 4)) * (rng.random((60, 4)) < 0.7)
    truth = np.digitize(features[:, 0] + 0.2 * rng.normal(size=60), [0] if labels == 2 else [-0.4, 0.4])
    model = LogisticRegression().fit(features, truth)
    orders = np.stack([rng.permutation(60) for _ in range(300)])
    found = feature_importance.importance(model, features, truth, list("abcd"), orders).rises.mean(axis=0)
    moved = features.copy()
    moved[:, 1] = features[orders[0], 1]
    brute = log_loss(truth, model.predict_proba(moved)) - log_loss(truth, model.predict_proba(features))
    one = feature_importance.importance(model, features, truth, list("abcd"), orders[:1]).rises
    assert one[:, 1].mean() == pytest.approx(brute)
    theirs = permutation_importance(model, features, truth, scoring="neg_log_loss", n_repeats=300, random_state=0)
    errors = theirs.importances_std * np.sqrt(2 / 300)  # of the difference of two means of 300 shuffles
    assert (np.abs(found - theirs.importances_mean) < 4 * errors).all()
    assert found.argmax() == 0


def test_a_word_that_a_model_does_not_know_has_importance_zero():
    a = feature_importance.Importance(["cat", "dog"], np.array([[1.0, 2.0]]))
    b = feature_importance.Importance(["dog", "owl"], np.array([[3.0, 4.0]]))
    assert feature_importance.aligned(a, b).tolist() == [[[1, 2, 0], [0, 3, 4]]]


def test_rank_correlation_and_jaccard_by_hand():
    a, b = np.array([3.0, 2, 1, 0, -1]), np.array([3.0, 1, 2, 0, -1])
    assert feature_importance.rank_correlation(a, b) == pytest.approx(0.9)
    assert feature_importance.top_jaccard(a, b, top=2) == pytest.approx(1 / 3)
    assert feature_importance.top_jaccard(a, b) == 1  # of three words with importance
    assert feature_importance.rank_correlation(a, np.zeros(5)) == feature_importance.top_jaccard(a, np.zeros(5)) == 0


def test_trainings_see_two_thirds_and_differ():
    rows = training_rows(np.arange(100, 130), seeds=3, seed=5)
    assert all(len(set(one)) == 20 and set(one) <= set(range(100, 130)) for one in rows)
    assert len({tuple(one) for one in rows}) == 3
    with pytest.raises(DoppelError, match="at least 3"):
        training_rows(np.arange(30), seeds=2, seed=5)


def test_an_interval_covers_tests_and_trainings():
    rng = np.random.default_rng(0)
    same = np.repeat(rng.normal(size=(1, 300)), 3, axis=0)

    def mean(one, rows):
        return one[rows].mean()

    tests = over_trainings(mean, same, draws=300, seed=0)
    reach = 1.96 * same[0].std() / np.sqrt(300)
    assert tests.interval[1] - tests.value == pytest.approx(reach, rel=0.2)
    apart = over_trainings(mean, same + np.array([[-1], [0], [1]]), draws=300, seed=0)
    assert apart.value == pytest.approx(tests.value)
    assert apart.interval[1] - apart.value > 1  # trainings that differ widen it
