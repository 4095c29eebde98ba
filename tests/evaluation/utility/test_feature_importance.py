"""Permutation importances against brute force and scikit-learn, and how well those of two sets agree."""

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from support.errors import refused
from support.utility_toys import matched, records

from lib.evaluation import comparison_sets, registry
from lib.evaluation.estimate import Undefined
from lib.evaluation.utility import feature_importance


@pytest.mark.parametrize("labels", [2, 3])
def test_importances_equal_brute_force_and_scikit_learn(labels):
    rng = np.random.default_rng(2)
    features = rng.normal(size=(60, 4)) * (rng.random((60, 4)) < 0.7)
    truth = np.digitize(features[:, 0] + 0.2 * rng.normal(size=60), [0] if labels == 2 else [-0.4, 0.4])
    model = LogisticRegression().fit(features, truth)
    orders = np.stack([rng.permutation(60) for _ in range(300)])
    ours = feature_importance.importance(model, features, truth, list("abcd"), orders).rises.mean(axis=0)
    shuffled = features.copy()
    shuffled[:, 1] = features[orders[0], 1]
    brute_force = log_loss(truth, model.predict_proba(shuffled)) - log_loss(truth, model.predict_proba(features))
    single = feature_importance.importance(model, features, truth, list("abcd"), orders[:1]).rises
    assert single[:, 1].mean() == pytest.approx(brute_force)
    theirs = permutation_importance(model, features, truth, scoring="neg_log_loss", n_repeats=300, random_state=0)
    errors = theirs.importances_std * np.sqrt(2 / 300)  # of the difference of two means of 300 shuffles
    assert (np.abs(ours - theirs.importances_mean) < 4 * errors).all()
    assert ours.argmax() == 0


def test_a_word_that_a_model_does_not_know_has_importance_zero():
    a = feature_importance.Importance(["cat", "dog"], np.array([[1.0, 2.0]]))
    b = feature_importance.Importance(["dog", "owl"], np.array([[3.0, 4.0]]))
    assert feature_importance.aligned(a, b).tolist() == [[[1, 2, 0], [0, 3, 4]]]


def test_rank_correlation_and_jaccard_by_hand():
    a, b = np.array([3.0, 2, 1, 0, -1]), np.array([3.0, 1, 2, 0, -1])
    assert feature_importance.rank_correlation(a, b) == pytest.approx(0.9)
    assert feature_importance.top_jaccard(a, b, top=2) == pytest.approx(1 / 3)
    assert feature_importance.top_jaccard(a, b) == 1  # of three words with importance
    assert feature_importance.correlation(a, b) == pytest.approx(0.9)  # equal to the ranks but for a shift
    assert feature_importance.correlation(a, np.array([9.0, 0, 0, 0, 0])) == pytest.approx(2 / np.sqrt(10 * 0.8))
    for entry in registry.family("importance"):
        assert entry.function()(a, np.zeros(5)) == 0


def test_important_words_of_similar_texts_agree_more_than_those_of_others():
    compared = matched(similar=records(90, 3), other=records(90, 4, noise=1.0))
    small, done = {"features": 50, "repeats": 3, "seeds": 3, "draws": 12, "seed": 0}, []
    measured = feature_importance.consistency(compared, "mood", **small, progress=lambda: done.append(1))
    assert len(done) == 3  # both arms and the ceiling
    jaccard = measured["importance_top20_jaccard"]
    assert jaccard["similar"].value > jaccard["other"].value
    assert jaccard[comparison_sets.REAL].value > jaccard["other"].value
    pearson = measured["importance_correlation"]
    assert min(pearson["similar"].value, pearson[comparison_sets.REAL].value) > pearson["other"].value
    assert len(pearson["similar"].each) == 3  # single trainings are views of a headline metric


def test_means_on_drawn_records_are_those_of_copied_rows_without_padding():
    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(size=(30, 2, 7)), rng.normal(size=(30, 2, 5))
    stacked, rows = feature_importance._stacked([wide, narrow]), rng.permutation(30)[:20]
    for padded, pair in zip(stacked, (wide, narrow), strict=True):
        assert feature_importance._mean_importances(padded, rows) == pytest.approx(pair[rows].mean(axis=0))


def test_an_arm_with_a_single_label_value_is_undefined():
    compared = matched(single=records(40, 3, only="good"), other=records(40, 4))
    measured = feature_importance.consistency(compared, "mood", features=50, repeats=2, seeds=3, draws=12, seed=0)
    assert set(measured) == set(registry.directions("importance"))
    for by_set in measured.values():
        assert isinstance(by_set["single"], Undefined) and not isinstance(by_set["other"], Undefined)
    codes, rows = compared.codes("mood")[0], compared.rows["single"]
    with refused("evaluation.single_label_value", name="mood", value=1):
        feature_importance._trained_importance(compared, "mood", codes, rows, 50, np.arange(60)[None])
