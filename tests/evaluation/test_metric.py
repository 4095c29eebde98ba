"""Intervals, floor and ceiling; equal distributions at the ceiling; planted defects, by the metrics that name them."""

import json

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.feature_extraction.text import HashingVectorizer

from lib.common.errors import DoppelError
from lib.evaluation import metric_rows
from lib.evaluation.estimate import Estimate, Undefined, estimate, matched_rows, subsamples
from lib.evaluation.fidelity import suite
from lib.evaluation.metric import Metric
from lib.evaluation.views import CEILING


def around(value: float, spread: float = 0.1, seed: int = 0) -> Estimate:
    return Estimate(value, value + spread * np.random.default_rng(seed).normal(size=200))


def metric(value, floor, ceiling, direction="higher") -> Metric:
    return Metric("toy", direction, value, floor, ceiling, used=100, of=120, real_text=True)


def test_the_interval_of_a_mean_is_that_of_students_t():
    records = np.random.default_rng(1).gamma(2, size=300)
    found = estimate(lambda _, j: {"mean": records[j].mean()}, 20, 300, draws=400, seed=2)["mean"]
    reach = student.ppf(0.975, 299) * records.std(ddof=1) / np.sqrt(300)
    assert found.value == records.mean()
    assert found.interval == pytest.approx((found.value - reach, found.value + reach), abs=0.15 * reach)


def test_intervals_are_centred_though_subsamples_are_shifted():
    found = estimate(lambda i, j: {"size": len(j) + i.sum() / 100}, 30, 30, draws=20, seed=0)["size"]
    assert found.draws.mean() == pytest.approx(found.value) and found.value == pytest.approx(30 + 4.35)


def test_the_interval_of_a_share_is_exact_also_where_no_record_or_every_record_has_it():
    texts = ["A whole sentence of words."] * 300
    cases = {0: (0.0, 1 - 0.025 ** (1 / 300)), 1: (1 - 0.975 ** (1 / 300), None), 300: (0.025 ** (1 / 300), 1.0)}
    for count, (low, high) in cases.items():  # the closed forms of Clopper and Pearson
        some = ["\x07"] * count + texts[count:]
        found = suite.text_estimates(texts, some, seed=0, draws=20, metrics=suite.SHARES)
        assert set(found) == set(suite.SHARES)
        for name in ("broken", "non_text"):
            assert found[name].value == count / 300 and found[name].interval[0] == pytest.approx(low)
            assert high is None or found[name].interval[1] == pytest.approx(high)
    none = suite.text_estimates(texts, [""] * 9, seed=0, draws=20, metrics=("broken", "distinct_1"))
    assert none["broken"].interval[0] < 0.9 and isinstance(none["distinct_1"], Undefined)


def test_subsamples_are_two_thirds_without_repeats_and_shared_on_the_real_side():
    first = list(subsamples(30, 30, draws=5, seed=1))
    assert all(len(set(rows)) == len(rows) == 20 for pair in first for rows in pair)
    assert not any(np.array_equal(i, j) for i, j in first)
    again = list(subsamples(30, 45, draws=5, seed=1))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    with pytest.raises(DoppelError, match=r"5 real.*add records"):
        next(subsamples(5, 30, draws=5, seed=1))


def test_matched_rows_are_as_many_as_the_smallest_set_has():
    rows = matched_rows({"real": 40, "arm": 25, "floor": 90}, seed=3)
    assert {name: len(set(one)) for name, one in rows.items()} == {"real": 25, "arm": 25, "floor": 25}
    assert max(rows["floor"]) >= 40 and rows["arm"].tolist() == list(range(25))
    with pytest.raises(DoppelError, match="'arm' has 1 records"):
        matched_rows({"real": 40, "arm": 1}, seed=3)


@pytest.mark.parametrize(
    ("value", "direction", "expected"),
    [(0.2, "higher", 0), (0.8, "higher", 1), (0.5, "lower", 0.5), (1.1, "match", 0.5), (0.5, "match", 0.5)],
)
def test_position_is_zero_at_the_floor_and_one_at_the_ceiling(value, direction, expected):
    placed = metric(around(value, 0.01, 1), around(0.2, 0.01, 2), around(0.8, 0.01, 3), direction).position
    assert placed.value == pytest.approx(expected) and placed.interval[0] < expected < placed.interval[1]


def test_at_ceiling_takes_the_difference_draw_by_draw():
    shared = around(0.5)
    near = Estimate(0.45, shared.draws - 0.05 + 0.001 * np.random.default_rng(1).normal(size=200))
    assert metric(shared, around(0.1), shared).at_ceiling
    assert not metric(near, around(0.1), shared).at_ceiling  # within either interval, yet apart in every draw
    assert metric(near, around(0.1), around(0.5, seed=4)).at_ceiling


def test_a_row_is_plain_json_and_says_why_a_number_is_missing():
    row = metric(around(0.5), around(0.1), around(0.9)).as_row()
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert (row["n"], row["of"], row["real_text"], row["because"]) == (100, 120, True, None)
    assert row["value_low"] < row["value"] < row["value_high"]
    gone = metric(Undefined("one record"), around(0.1), around(0.9)).as_row()
    assert gone["value"] is gone["position"] is gone["at_ceiling"] is None and gone["because"] == "one record"
    level = metric(around(0.5), around(0.5, seed=1), around(0.5, seed=2)).as_row()
    assert level["position"] is None and "do not differ at n = 100" in level["because"] and level["value"] == 0.5


def test_a_value_that_is_not_finite_is_refused():
    with pytest.raises(DoppelError, match="must be finite"):
        Estimate(float("nan"), np.zeros(3))


SUBJECTS = ["camera", "battery", "screen", "lens", "strap", "charger", "manual", "case"]
VERBS = ["is", "was", "seems", "looks", "feels"]
ENDS = {"good": ["great", "sturdy", "sharp", "lovely", "cheap"], "bad": ["awful", "weak", "blurry", "broken", "noisy"]}


def corpus(n: int, seed: int) -> tuple[list[str], list[str]]:
    """Texts of one to four sentences of a small grammar, and their labels."""
    draw = np.random.default_rng(seed)
    labels = draw.choice(list(ENDS), size=n)

    def sentence(label):
        return f"The {draw.choice(SUBJECTS)} {draw.choice(VERBS)} very {draw.choice(ENDS[label])}" + draw.choice(
            [".", "!", " and well worth it."]
        )

    return [" ".join(sentence(label) for _ in range(draw.integers(1, 5))) for label in labels], labels.tolist()


def embed(texts: list[str]) -> np.ndarray:
    return HashingVectorizer(n_features=16, norm=None).transform(texts).toarray() + 0.1


def placed(kinds, arm: suite.Estimates, ceiling: suite.Estimates, n: int) -> list[metric_rows.Row]:
    """Rows of an arm whose floor is its ceiling."""
    found = {"arm": arm, "floor": ceiling, CEILING: ceiling}
    counts = {"used": dict.fromkeys(found, n), "of": dict.fromkeys(found, n)}
    return [row for row in metric_rows.placed("task", kinds, found, floor="floor", **counts) if row["arm"] == "arm"]


def test_equal_distributions_are_at_the_ceiling_in_95_of_100_draws(monkeypatch):
    monkeypatch.setattr("lib.evaluation.fidelity.two_sample_test.FOLDS", 3)  # the slowest part of it
    kinds = suite.EMBEDDING | suite.TEXT
    hits = dict.fromkeys(kinds, 0)
    for seed in range(100):
        draw = np.random.default_rng([seed, 7])
        real, *others = draw.normal(size=(3, 40, 3))
        texts, *other_texts = (corpus(40, 3 * seed + side)[0] for side in range(3))
        arm, ceiling = (
            suite.embedding_estimates(real, side, seed=seed, draws=8)
            | suite.text_estimates(texts, words, seed=seed, draws=8)
            for side, words in zip(others, other_texts, strict=True)
        )
        for row in placed(kinds, arm, ceiling, 40):
            hits[row["metric"]] += row["at_ceiling"]
    assert {name: count for name, count in hits.items() if count < 95} == {}


def defect(name: str, texts: list[str], labels: list[str]) -> tuple[list[str], list[str]]:
    if name == "label dropped":
        kept = [i for i, label in enumerate(labels) if label == "good"] * 2
        return [texts[i] for i in kept][: len(texts)], [labels[i] for i in kept][: len(texts)]
    if name == "texts duplicated":
        return (texts[: len(texts) // 4] * 4), (labels[: len(texts) // 4] * 4)
    if name == "words shuffled":
        draw = np.random.default_rng(5)
        return [" ".join(draw.permutation(one.split())) for one in texts], labels
    if name == "lengths halved":
        return [" ".join(one.split()[: max(1, len(one.split()) // 2)]) for one in texts], labels
    return texts, labels


SEEN_BY = {  # the metrics that must name it
    "none": (),
    "label dropped": ("label_tv", "recall", "word_jsd"),
    "texts duplicated": ("distinct_2", "self_bleu", "vendi"),
    "words shuffled": ("distinct_2", "distinct_3", "self_bleu", "abrupt"),
    "lengths halved": ("record_length_w1", "abrupt"),
}


@pytest.mark.parametrize("name", SEEN_BY)
def test_a_planted_defect_is_seen_by_the_metrics_that_name_it(name):
    n = 120
    real, held_out = corpus(n, 1), corpus(n, 2)
    sides = {"arm": defect(name, *corpus(n, 3)), "ceiling": held_out}
    found = {
        side: suite.embedding_estimates(embed(real[0]), embed(texts), seed=0, draws=20)
        | suite.text_estimates(real[0], texts, seed=0, draws=20)
        | {"label_tv": suite.label_estimate(real[1], labels, seed=0, draws=20)}
        for side, (texts, labels) in sides.items()
    }
    kinds = suite.EMBEDDING | suite.TEXT | {"label_tv": ("lower", True)}
    apart = {row["metric"] for row in placed(kinds, found["arm"], found["ceiling"], n) if not row["at_ceiling"]}
    assert apart >= set(SEEN_BY[name])
    assert name != "none" or not apart


def test_degenerate_arms_have_numbers_or_reasons():
    real, texts = np.random.default_rng(1).normal(size=(30, 4)), corpus(30, 1)[0]
    for arm in (np.ones((30, 4)), np.ones((1, 4)), real[:3]):
        found = suite.embedding_estimates(real, arm, seed=0, draws=5)
        assert all(isinstance(one, Estimate) or "; " in one.because for one in found.values())
        assert list(found) == list(suite.EMBEDDING)
    assert found["precision"].because.startswith("30 real and 3 synthetic records")
    for arm in ([""] * 30, ["one"], ["same text here."] * 30, ["word " * 10_000] * 30):
        found = suite.text_estimates(texts, arm, seed=0, draws=5)
        assert all(isinstance(one, Estimate) or "; " in one.because for one in found.values())
    json.dumps(placed(suite.TEXT, found, found, 30), allow_nan=False)


def test_lengths_are_matched_for_the_two_sample_test():
    draw = np.random.default_rng(1)
    lengths = draw.integers(5, 25, 80), draw.integers(15, 50, 80)
    sides = [np.c_[np.log(side), draw.normal(size=(80, 2))] for side in lengths]  # embeddings that hold length alone
    plain, matched = (
        suite.embedding_estimates(*sides, seed=0, draws=5, lengths=one)["two_sample_accuracy"]
        for one in (None, lengths)
    )
    assert plain.value > 0.75 and matched.value < plain.value - 0.15
