"""The audit: each estimator against brute force, coverage by simulation, and verdicts that can go every way."""

import math
from itertools import combinations

import numpy as np
import pytest
from dp_accounting import get_epsilon_gaussian, get_sigma_gaussian
from dp_accounting.pld import privacy_loss_distribution as pld
from scipy.optimize import linprog
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score, roc_curve
from support.errors import refused

from lib.audit import verdict as audits
from lib.audit.membership import auc, exposure, tpr_at_fpr
from lib.audit.one_run import ESTIMATORS, Bound, gaussian, guess_counts, lower_bound, p_value, reach, refutes, steinke
from lib.audit.verdict import MIN_IDEAL_SHARE, Finding, Verdict, audit, ideal_attack, ideal_bound, verdict

DELTA = 1e-5


# --- the estimators


@pytest.mark.parametrize(("correct", "guesses", "canaries"), [(5, 6, 9), (0, 4, 4), (7, 7, 7), (12, 20, 25)])
@pytest.mark.parametrize("delta", [0.0, 1e-3])
def test_p_value_is_the_sum_over_all_outcomes(correct, guesses, canaries, delta):
    q = math.exp(1.3) / (1 + math.exp(1.3))
    chance = [math.comb(guesses, w) * q**w * (1 - q) ** (guesses - w) for w in range(guesses + 1)]
    exact = sum(chance[correct:])
    lost = [sum(chance[max(0, correct - i) : correct]) / i for i in range(1, correct + 1)]
    exact += 2 * canaries * delta * max(lost, default=0)
    assert p_value(correct, guesses, canaries, epsilon=1.3, delta=delta) == pytest.approx(min(1, exact))


@pytest.mark.parametrize(("correct", "guesses"), [(40, 40), (33, 40), (30, 40)])
def test_steinke_is_the_largest_epsilon_that_is_refuted(correct, guesses):
    bound = steinke(correct, guesses, 100, delta=DELTA, beta=0.05)
    assert bound > 0
    assert p_value(correct, guesses, 100, epsilon=bound, delta=DELTA) <= 0.05
    assert p_value(correct, guesses, 100, epsilon=bound + 2e-4, delta=DELTA) > 0.05


def test_without_delta_steinke_is_the_interval_of_a_share():
    q = 0.05 ** (1 / 30)  # all of 30 right: Clopper and Pearson's lower end
    assert steinke(30, 30, 30, delta=0.0, beta=0.05) == pytest.approx(math.log(q / (1 - q)), abs=2e-4)


def most_likely(correct: int, guesses: int, canaries: int, mu: float) -> float:
    """The largest P[v or more right] that mu-GDP allows, by a linear programme: its curve as many tangents.

    Unknown: the chances p_0..p_r. For every i and every epsilon, R_i <= e^epsilon H_{i-1} + delta(epsilon).
    """
    count = np.arange(guesses + 1)
    rows, limits = [], []
    for e in np.linspace(-12, 12, 300):
        delta = norm.cdf(-e / mu + mu / 2) - math.exp(e) * norm.cdf(-e / mu - mu / 2)
        for i in range(1, guesses + 1):
            right = np.where(count >= i, count, 0) / canaries
            wrong = np.where(count >= i - 1, guesses - count, 0) / canaries
            rows.append(right - math.exp(e) * wrong)
            limits.append(delta)
    aim = -(count >= correct).astype(float)
    return -linprog(aim, A_ub=rows, b_ub=limits, A_eq=[np.ones(guesses + 1)], b_eq=[1.0]).fun


@pytest.mark.parametrize(
    ("correct", "guesses", "canaries", "mu"), [(4, 4, 4, 0.7), (4, 5, 8, 0.5), (3, 4, 4, 0.6), (6, 8, 10, 0.8)]
)
def test_the_gaussian_bound_is_the_worst_case_of_all_distributions(correct, guesses, canaries, mu):
    worst = most_likely(correct, guesses, canaries, mu)
    assert 0.05 < worst < 0.999  # tangents stand outside the curve: the programme's worst case is a little above
    assert refutes(mu, correct, guesses, canaries, worst * 1.001)
    assert not refutes(mu, correct, guesses, canaries, worst * 0.985)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_bound_grows_with_right_guesses_and_falls_with_confidence(estimator):
    bound = ESTIMATORS[estimator]
    grown = [bound(v, 60, 100, delta=DELTA, beta=0.05) for v in range(61)]
    assert grown == sorted(grown) and grown[30] == 0 < grown[60]
    assert bound(55, 60, 100, delta=DELTA, beta=0.01) < bound(55, 60, 100, delta=DELTA, beta=0.1)


def test_the_gaussian_bound_speaks_of_epsilon_at_delta():
    bound = gaussian(50, 60, 100, delta=DELTA, beta=0.05)
    mu = 1 / get_sigma_gaussian(bound, DELTA)
    assert refutes(mu - 1e-3, 50, 60, 100, 0.05) and not refutes(mu + 1e-3, 50, 60, 100, 0.05)
    assert get_epsilon_gaussian(1 / mu, 0.05) < bound


def test_the_gaussian_curve_stands_above_that_of_dp_sgd():
    """Below its epsilon DP-SGD leaks less than the Gaussian mechanism of the same (epsilon, delta) at every delta."""
    curve = pld.from_gaussian_mechanism(0.577, sampling_prob=256 / 3184, value_discretization_interval=2e-2)
    curve = curve.self_compose(15)
    epsilon = curve.get_epsilon_for_delta(DELTA)
    mu = 1 / get_sigma_gaussian(epsilon, DELTA)
    e = np.linspace(0.05, 0.99 * epsilon, 50)
    assert np.all(curve.get_delta_for_epsilon(e) < norm.cdf(-e / mu + mu / 2) - np.exp(e) * norm.cdf(-e / mu - mu / 2))


# --- coverage


def over(bounds: list[float], truth: float) -> int:
    return sum(bound > truth for bound in bounds)


ALLOWED = binom.ppf(0.99, 200, 0.05)  # wrong bounds in 200 trials, where each is wrong with chance 5%


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("epsilon", [0.5, 4.0])
def test_bounds_cover_the_epsilon_of_a_gaussian_mechanism(estimator, epsilon):
    rng = np.random.default_rng(1)
    runs = [ideal_attack(epsilon, 40, delta=DELTA, rng=rng) for _ in range(200)]
    bounds = [lower_bound(s, i, estimator=estimator, delta=DELTA, rng=rng).epsilon for s, i in runs]
    assert over(bounds, epsilon) <= ALLOWED
    assert epsilon < 1 or max(bounds) > epsilon / 4  # and they are no empty promise


def test_steinke_covers_randomized_response_and_is_wrong_now_and_then():
    """Its worst case: every coin is published, right with chance q. A single number of guesses, so near 5%."""
    rng, q = np.random.default_rng(2), 1 / (1 + math.exp(-1))
    bounds = [steinke(int(right), 40, 40, delta=0.0, beta=0.05) for right in rng.binomial(40, q, size=2000)]
    exact = binom.sf(next(v for v in range(41) if steinke(v, 40, 40, delta=0.0, beta=0.05) > 1) - 1, 40, q)
    assert 0.01 < exact <= 0.05
    assert binom.ppf(0.001, 2000, exact) <= over(bounds, 1) <= binom.ppf(0.999, 2000, exact)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_choice_of_the_number_of_guesses_is_paid_for(estimator):
    """Without signal the best of several uncorrected bounds is above 0 too often; the corrected one is not."""
    rng = np.random.default_rng(3)
    coins = [rng.random(60) < 0.5 for _ in range(400)]
    bounds = [lower_bound(rng.normal(size=60), c, estimator=estimator, delta=DELTA, rng=rng).epsilon for c in coins]
    assert over(bounds, 0) <= binom.ppf(0.99, 400, 0.05)


@pytest.mark.parametrize("first", [True, False])
def test_equal_scores_say_nothing_even_where_the_file_is_ordered_by_the_coins(first):
    rng = np.random.default_rng(0)
    included = (np.arange(100) < 50) == first
    bounds = [lower_bound(np.zeros(100), included, estimator="steinke", delta=0.0, rng=rng) for _ in range(40)]
    assert over([b.epsilon for b in bounds], 0) <= 6


def test_few_canaries_are_guessed_in_pairs():
    assert guess_counts(200) == [200, 80, 30] and guess_counts(3) == [2, 2, 2]
    with refused("audit.canaries_too_few", name="canaries", value=1):
        guess_counts(1)


def test_a_bound_says_which_guesses_it_rests_on():
    included = np.arange(100) % 2 == 0
    bound = lower_bound(included * 1.0, included, estimator="steinke", delta=DELTA, rng=np.random.default_rng(0))
    assert bound == Bound(reach(100, estimator="steinke", delta=DELTA), 100, 100)


# --- ideal bounds and verdicts


@pytest.mark.parametrize(("estimator", "epsilon", "reference"), [
    ("steinke", 1, 0.01), ("steinke", 4, 0.80), ("steinke", 8, 1.54),
    ("gaussian f-DP", 1, 0.03), ("gaussian f-DP", 4, 1.49), ("gaussian f-DP", 8, 2.08),
])  # fmt: skip
def test_an_ideal_attack_shows_what_was_computed_elsewhere(estimator, epsilon, reference):
    """m = 200; more than the reference is welcome, since coverage is tested above."""
    rng = np.random.default_rng(5)
    runs = [ideal_attack(epsilon, 200, delta=DELTA, rng=rng) for _ in range(40)]
    bounds = [lower_bound(s, i, estimator=estimator, delta=DELTA, rng=rng).epsilon for s, i in runs]
    assert reference - 0.15 <= np.mean(bounds) < epsilon


def test_an_ideal_bound_lies_below_its_claim_and_its_reach_and_grows_with_canaries():
    def at(claim: float, canaries: int) -> float:
        rng = np.random.default_rng(0)
        return ideal_bound(claim, canaries, estimator="gaussian f-DP", delta=DELTA, rng=rng, repetitions=9)

    assert at(1, 100) < at(4, 100) < at(8, 100) < reach(100, estimator="gaussian f-DP", delta=DELTA)
    assert at(4, 100) < at(4, 800) < 4
    assert at(math.inf, 100) == reach(100, estimator="gaussian f-DP", delta=DELTA)


def finding(bound=1.0, ideal_bound=2.0, reach=7.0, claim=4.0) -> Finding:
    return Finding("loss", "steinke", Bound(bound, 10, 9), ideal_bound, reach, claim)


def test_verdicts_of_a_finding():
    assert finding(bound=4.1).verdict is Verdict.VIOLATED
    assert finding(bound=4.0).verdict is Verdict.CONSISTENT
    assert finding(reach=4.0).verdict is Verdict.INCONCLUSIVE  # no outcome would have been above the claim
    assert finding(ideal_bound=MIN_IDEAL_SHARE * 4 - 0.01).verdict is Verdict.INCONCLUSIVE
    assert finding(bound=4.1, ideal_bound=0.1).verdict is Verdict.VIOLATED  # what is refuted is refuted


def test_the_verdict_of_an_arm_and_its_controls():
    weak, good, bad = finding(ideal_bound=0.1), finding(), finding(bound=5.0)
    assert verdict([weak, good], controls={"planted": True}) is Verdict.CONSISTENT
    assert verdict([weak, good, bad], controls={"planted": True}) is Verdict.VIOLATED
    assert verdict([weak], controls={"planted": True}) is Verdict.INCONCLUSIVE
    assert verdict([bad], controls={"planted": True, "copies": False}) is Verdict.FAILED
    assert str(Verdict.FAILED) == "audit failed: no verdict"
    with refused("audit.controls_missing", name="controls", value=0):
        verdict([good], controls={})


def test_noise_off_under_a_claim_is_violated():
    rng = np.random.default_rng(0)
    scores, included = ideal_attack(40.0, 200, delta=DELTA, rng=rng)
    findings = audit({"loss": scores}, included, claim=1.0, delta=DELTA, rng=rng)
    assert verdict(findings, controls={"planted": True}) is Verdict.VIOLATED
    assert {f.estimator for f in findings} == set(ESTIMATORS)


def test_no_signal_is_seldom_violated(monkeypatch):
    monkeypatch.setattr(audits, "ideal_bound", lambda *_, **__: 0.0)
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(400):
        included = np.arange(60) < 30
        scores = {"a": rng.normal(size=60), "b": rng.normal(size=60)}
        findings = audit(scores, included, claim=1e-9, delta=1e-9, rng=rng)
        wrong += verdict(findings, controls={"planted": True}) is Verdict.VIOLATED
    assert wrong <= 20


def test_many_scores_share_one_confidence():
    rng = np.random.default_rng(0)
    scores, included = ideal_attack(8.0, 100, delta=DELTA, rng=rng)
    alone = audit({"a": scores}, included, claim=8.0, delta=DELTA, rng=rng)
    five = audit(dict.fromkeys("abcde", scores), included, claim=8.0, delta=DELTA, rng=rng)
    (steinke_alone,) = (finding for finding in alone if finding.estimator == "steinke")
    assert five[0].estimator == "steinke" and five[0].bound.epsilon < steinke_alone.bound.epsilon
    assert five[0].bound == lower_bound(scores, included, estimator="steinke", delta=DELTA, beta=0.005, rng=rng)


@pytest.mark.parametrize("claim", [0.0, -1.0, math.nan])
def test_a_claim_that_is_none_is_refused(claim):
    with refused("audit.claim_out_of_range", name="claim") as error:
        audit({"a": np.arange(4.0)}, np.arange(4) < 2, claim=claim, delta=DELTA, rng=np.random.default_rng(0))
    assert repr(error.value.value) == repr(claim)


def test_an_arm_that_claims_nothing_is_never_violated():
    rng = np.random.default_rng(0)
    scores, included = ideal_attack(40.0, 100, delta=DELTA, rng=rng)
    findings = audit({"loss": scores}, included, claim=math.inf, delta=DELTA, rng=rng)
    assert verdict(findings, controls={"copies": True}) is Verdict.INCONCLUSIVE


# --- AUC, TPR, exposure


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
    ("call", "code", "name", "value"),
    [
        (
            lambda rng: lower_bound([1.0, 2.0], COINS, estimator="other", delta=0.0, rng=rng),
            "audit.estimator_unknown",
            "estimator",
            "other",
        ),
        (lambda _: steinke(5, 4, 6, delta=0.0, beta=0.05), "audit.guess_numbers", "correct", (5, 4, 6)),
        (lambda _: steinke(4, 7, 6, delta=0.0, beta=0.05), "audit.guess_numbers", "correct", (4, 7, 6)),
        (lambda _: steinke(3, 4, 6, delta=1.0, beta=0.05), "audit.delta_out_of_range", "delta", 1.0),
        (lambda _: gaussian(3, 4, 6, delta=DELTA, beta=0.0), "audit.beta_out_of_range", "beta", 0.0),
        (lambda _: gaussian(3, 4, 6, delta=0.0, beta=0.05), "audit.delta_zero", "delta", 0.0),
        (lambda _: exposure(np.zeros(3), np.zeros((2, 5))), "audit.reference_shape", "references", (2, 5)),
        (lambda _: exposure(np.array([math.nan]), np.zeros(5)), "audit.scores_nan", "scores", None),
        (lambda rng: audit({}, COINS, claim=1.0, delta=0.0, rng=rng), "audit.scores_missing", "scores", 0),
    ],
)
def test_numbers_that_make_no_bound_are_refused(call, code, name, value):
    with refused(code, name=name, value=value):
        call(np.random.default_rng(0))


def test_all_orders_of_few_canaries_have_the_chance_that_is_claimed():
    """Brute force: m = 8, no signal, every choice of 4 included canaries once; steinke at delta 0 refutes epsilon 0."""
    rng, wrong = np.random.default_rng(0), 0
    choices = list(combinations(range(8), 4))
    for chosen in choices:
        included = np.isin(np.arange(8), chosen)
        wrong += lower_bound(np.arange(8.0), included, estimator="steinke", delta=0.0, beta=0.3, rng=rng).epsilon > 0
    assert 0 < wrong / len(choices) <= 0.3
