"""How well scores tell canaries apart: AUC, true positive rate and exposure, against their definitions."""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score, roc_curve
from support.errors import refused

from lib.audit.membership import auc, exposure, tpr_at_fpr


def test_auc_is_the_share_of_ordered_pairs_and_sklearns():
    rng = np.random.default_rng(0)
    scores, included = rng.integers(0, 12, 80) / 4, rng.random(80) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[included] for b in scores[~included]]
    assert auc(scores, included).value == pytest.approx(np.mean(pairs))
    assert auc(scores, included).value == pytest.approx(roc_auc_score(included, scores))


def test_delongs_interval_covers():
    rng, truth, covered = np.random.default_rng(1), norm.cdf(1 / math.sqrt(2)), 0
    for _ in range(400):
        included = np.arange(80) < 40
        estimate = auc(rng.normal(size=80) + included, included)
        covered += estimate.low <= truth <= estimate.high
    assert 0.91 <= covered / 400 <= 0.985


def test_delongs_variance_is_that_of_the_jackknife():
    rng = np.random.default_rng(2)
    included = np.arange(120) < 50
    scores = rng.normal(size=120) + included
    value, low, high = auc(scores, included)
    parts = []
    for side in (included, ~included):
        dropped = [roc_auc_score(np.delete(included, i), np.delete(scores, i)) for i in np.flatnonzero(side)]
        parts.append((side.sum() - 1) / side.sum() * np.sum((dropped - np.mean(dropped)) ** 2))
    width = math.log(high / (1 - high)) - math.log(low / (1 - low))
    assert width / (2 * 1.96) * value * (1 - value) == pytest.approx(math.sqrt(sum(parts)), rel=0.01)


def test_perfect_scores_keep_an_interval():
    included = np.arange(20) < 8
    assert auc(included * 1.0, included) == (1.0, pytest.approx(0.025 ** (1 / 8)), 1.0)
    assert auc(included * -1.0, included) == (0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 8)))
    assert auc(np.array([1.0, 2.0, 0.0]), np.array([True, False, False])) == (0.5, 0.0, 1.0)


@pytest.mark.parametrize("fpr", [0.0, 0.01, 0.29])
def test_tpr_at_fpr_is_the_best_point_of_the_curve(fpr):
    rng = np.random.default_rng(3)
    scores, included = rng.integers(0, 400, 200) / 9, np.arange(200) < 100
    scores = scores + 20 * included
    rates = roc_curve(included, scores, drop_intermediate=False)
    best = max(tpr for false, tpr in zip(rates[0], rates[1], strict=True) if false <= fpr)
    estimate = tpr_at_fpr(scores, included, fpr=fpr)
    assert estimate.value == pytest.approx(best)
    hits = round(100 * estimate.value)
    assert binom.sf(hits - 1, 100, estimate.low) == pytest.approx(0.025)  # Clopper and Pearson by their definition
    assert binom.cdf(hits, 100, estimate.high) == pytest.approx(0.025)


def test_tpr_at_the_edges():
    included = np.arange(10) < 5
    assert tpr_at_fpr(included * 1.0, included)[0::2] == (1.0, 1.0)
    assert tpr_at_fpr(included * -1.0, included)[:2] == (0.0, 0.0)
    assert tpr_at_fpr(np.zeros(10), included).value == 0  # a tie with an out canary is no hit
    with refused("audit.fpr_out_of_range", name="fpr", value=1.0):
        tpr_at_fpr(np.zeros(10), included, fpr=1.0)


def test_exposure_by_hand():
    references = np.array([1.0, 2.0, 3.0, 3.0, 5.0, 6.0, 7.0])
    assert exposure(np.array([8.0, 3.0, 0.0]), references).tolist() == [3.0, 3 - math.log2(6), 0.0]
    own = exposure(np.array([8.0, 0.0]), np.stack([references, -references]))
    assert own.tolist() == [3.0, 3.0]


def test_exposure_of_a_canary_that_was_not_in_is_1_44_bits():
    rng = np.random.default_rng(0)
    assert exposure(rng.random(4000), rng.random((4000, 300))).mean() == pytest.approx(1 / math.log(2), abs=0.1)


COINS = np.array([True, False])


@pytest.mark.parametrize(
    ("scores", "included", "code", "name", "value"),
    [
        ([1.0, 2.0, 3.0], COINS, "audit.scores_shape", "included", ((2,), "bool")),
        ([1.0, 2.0], [1, 0], "audit.scores_shape", "included", ((2,), "int64")),
        ([1.0, math.nan], COINS, "audit.scores_nan", "scores", 1),
        ([1.0, 2.0], [True, True], "audit.coins_all_equal", "included", 2),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(scores, included, code, name, value):
    with refused(code, name=name, value=value):
        auc(np.array(scores), np.array(included))


@pytest.mark.parametrize(
    ("scores", "references", "code", "name", "value"),
    [
        (np.zeros(3), np.zeros((2, 5)), "audit.reference_shape", "references", (2, 5)),
        (np.array([math.nan]), np.zeros(5), "audit.scores_nan", "scores", None),
    ],
)
def test_references_that_cannot_be_compared_are_refused(scores, references, code, name, value):
    with refused(code, name=name, value=value):
        exposure(scores, references)
