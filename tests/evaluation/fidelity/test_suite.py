"""All metrics at once: equal distributions at the ceiling; planted defects, by the metrics that name them."""

import json

import numpy as np
import pytest
import sklearn
from sklearn.feature_extraction.text import HashingVectorizer
from support.fidelity_toys import sentences

from lib.evaluation import metric_rows, registry
from lib.evaluation.entry import Entry
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.fidelity import frechet_mmd, sinkhorn, suite
from lib.evaluation.views import CEILING

NAMES = [entry.name for entry in (*registry.family("embedding"), *registry.family("text"))]
SHARES = [entry.name for entry in registry.family("text") if entry.share]

SUBJECTS = ["camera", "battery", "screen", "lens", "strap", "charger", "manual", "case"]
VERBS = ["is", "was", "seems", "looks", "feels"]
ENDS = {"good": ["great", "sturdy", "sharp", "lovely", "cheap"], "bad": ["awful", "weak", "blurry", "broken", "noisy"]}


def corpus(n: int, seed: int) -> tuple[list[str], list[str]]:
    """Texts of one to four sentences of a small grammar, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(ENDS), size=n)

    def sentence(label: str) -> str:
        return f"The {rng.choice(SUBJECTS)} {rng.choice(VERBS)} very {rng.choice(ENDS[label])}" + rng.choice(
            [".", "!", " and well worth it."]
        )

    return [" ".join(sentence(label) for _ in range(rng.integers(1, 5))) for label in labels], labels.tolist()


def embed(texts: list[str]) -> np.ndarray:
    return HashingVectorizer(n_features=16, norm=None).transform(texts).toarray() + 0.1


def placed(arm: suite.Estimates, ceiling: suite.Estimates, n: int) -> list[metric_rows.Row]:
    """Rows of an arm whose floor is its ceiling."""
    measured = {"arm": arm, "floor": ceiling, CEILING: ceiling}
    counts = {"used": dict.fromkeys(measured, n), "of": dict.fromkeys(measured, n)}
    return [row for row in metric_rows.placed("task", measured, floor="floor", **counts) if row["arm"] == "arm"]


def test_the_interval_of_a_share_is_exact_also_where_no_record_or_every_record_has_it():
    texts = ["A whole sentence of words."] * 300
    cases = {0: (0.0, 1 - 0.025 ** (1 / 300)), 1: (1 - 0.975 ** (1 / 300), None), 300: (0.025 ** (1 / 300), 1.0)}
    for count, (low, high) in cases.items():  # the closed forms of Clopper and Pearson
        some_broken = ["\x07"] * count + texts[count:]
        shares = suite.text_estimates(texts, some_broken, seed=0, draws=20, metrics=SHARES)
        assert set(shares) == {"broken", "non_text", "repetitive", "abrupt"}
        for name in ("broken", "non_text"):
            assert shares[name].value == count / 300 and shares[name].interval[0] == pytest.approx(low)
            assert high is None or shares[name].interval[1] == pytest.approx(high)
    empty = suite.text_estimates(texts, [""] * 9, seed=0, draws=20, metrics=("broken", "distinct_1"))
    assert empty["broken"].interval[0] < 0.9 and isinstance(empty["distinct_1"], Undefined)


@sklearn.config_context(assume_finite=True, skip_parameter_validation=True)  # it checks thousands of small arrays
def test_equal_distributions_are_at_the_ceiling_in_95_of_100_draws(monkeypatch):
    monkeypatch.setattr("lib.evaluation.fidelity.two_sample_test.FOLDS", 3)  # the slowest part of it
    hits = dict.fromkeys(NAMES, 0)
    for seed in range(100):
        real, *others = np.random.default_rng([seed, 7]).normal(size=(3, 40, 3))
        texts, *other_texts = (corpus(40, 3 * seed + side)[0] for side in range(3))
        arm, ceiling = (
            suite.embedding_estimates(real, vectors, seed=seed, draws=8)
            | suite.text_estimates(texts, words, seed=seed, draws=8)
            for vectors, words in zip(others, other_texts, strict=True)
        )
        for row in placed(arm, ceiling, 40):
            hits[row["metric"]] += row["at_ceiling"]
    assert {name: count for name, count in hits.items() if count < 95} == {}


def defect(name: str, texts: list[str], labels: list[str]) -> tuple[list[str], list[str]]:
    if name == "label dropped":
        kept = [i for i, label in enumerate(labels) if label == "good"] * 2
        return [texts[i] for i in kept][: len(texts)], [labels[i] for i in kept][: len(texts)]
    if name == "texts duplicated":
        return (texts[: len(texts) // 4] * 4), (labels[: len(texts) // 4] * 4)
    if name == "words shuffled":
        rng = np.random.default_rng(5)
        return [" ".join(rng.permutation(text.split())) for text in texts], labels
    if name == "lengths halved":
        return [" ".join(text.split()[: max(1, len(text.split()) // 2)]) for text in texts], labels
    return texts, labels


SEEN_BY = {  # the metrics that must name it
    "none": (),
    "label dropped": ("label_tv", "recall", "word_jsd"),
    "texts duplicated": ("distinct_2", "self_bleu", "vendi"),
    "words shuffled": ("distinct_2", "distinct_3", "self_bleu", "abrupt"),
    "lengths halved": ("record_length_w1", "abrupt"),
}


@pytest.mark.parametrize("name", SEEN_BY)
def test_a_planted_defect_is_seen_by_the_metrics_that_name_it(name, monkeypatch):
    of_labels = Entry("label_tv", "loss", "lower", "", title="Labels", meaning="")  # `tv`, but not that of clusters
    monkeypatch.setitem(registry.METRICS, "label_tv", of_labels)
    n = 120
    real, held_out = corpus(n, 1), corpus(n, 2)
    sides = {"arm": defect(name, *corpus(n, 3)), "ceiling": held_out}
    measured = {
        side: suite.embedding_estimates(embed(real[0]), embed(texts), seed=0, draws=20)
        | suite.text_estimates(real[0], texts, seed=0, draws=20)
        | {"label_tv": suite.label_estimate(real[1], labels, seed=0, draws=20)}
        for side, (texts, labels) in sides.items()
    }
    apart = {row["metric"] for row in placed(measured["arm"], measured["ceiling"], n) if not row["at_ceiling"]}
    assert apart >= set(SEEN_BY[name])
    assert name != "none" or not apart


def test_degenerate_arms_have_numbers_or_reasons():
    real, texts = np.random.default_rng(1).normal(size=(30, 4)), corpus(30, 1)[0]
    for arm in (np.ones((30, 4)), np.ones((1, 4)), real[:3]):
        found = suite.embedding_estimates(real, arm, seed=0, draws=5)
        assert all(isinstance(value, Estimate) or "; " in value.because for value in found.values())
        assert list(found) == [entry.name for entry in registry.family("embedding")]
    assert "30 real and 3 synthetic records" in found["precision"].because
    for arm in ([""] * 30, ["one"], ["same text here."] * 30, ["word " * 10_000] * 30):
        found = suite.text_estimates(texts, arm, seed=0, draws=5)
        assert all(isinstance(value, Estimate) or "; " in value.because for value in found.values())
        assert list(found) == [entry.name for entry in registry.family("text")]
    json.dumps(placed(found, found, 30), allow_nan=False)


def test_texts_without_a_word_have_no_distance_of_lengths_but_other_metrics():
    for real, synthetic in ((sentences(12, 1), ["", "..."] * 6), (["", "..."] * 6, sentences(12, 1))):
        found = suite.text_estimates(real, synthetic, seed=0, draws=5)
        for name in ("record_length_w1", "sentence_length_w1"):
            assert isinstance(found[name], Undefined) and "12 texts" in found[name].because
        assert isinstance(found["broken"], Estimate)


def test_lengths_are_matched_for_the_two_sample_test():
    rng = np.random.default_rng(1)
    lengths = rng.integers(5, 25, 80), rng.integers(15, 50, 80)
    sides = [np.c_[np.log(side), rng.normal(size=(80, 2))] for side in lengths]  # embeddings that hold length alone
    plain, matched = (
        suite.embedding_estimates(*sides, seed=0, draws=5, lengths=given)["two_sample_accuracy"]
        for given in (None, lengths)
    )
    assert plain.value > 0.75 and matched.value < plain.value - 0.15


def test_only_the_metrics_that_are_asked_for_are_computed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sinkhorn, "sinkhorn", lambda pair: pytest.fail("nobody asked for it"))
    monkeypatch.setattr(frechet_mmd, "mmd_of_subsamples", lambda pair: pytest.fail("nobody asked for it"))
    real, other = np.random.default_rng(0).normal(size=(2, 30, 4))
    asked = suite.embedding_estimates(real, other, seed=0, draws=5, metrics=("mauve", "frechet"))
    assert list(asked) == ["frechet", "mauve"]
    texts = sentences(12, 1), sentences(12, 2)
    assert list(suite.text_estimates(*texts, seed=0, draws=5, metrics=("word_jsd",))) == ["word_jsd"]


def test_metrics_of_one_function_are_computed_together(monkeypatch: pytest.MonkeyPatch):
    calls = []
    original = frechet_mmd.frechet
    monkeypatch.setattr(frechet_mmd, "frechet", lambda pair: calls.append("frechet") or original(pair))
    monkeypatch.setattr(
        "lib.evaluation.fidelity.precision_recall.neighbour_scores",
        lambda pair: calls.append("neighbours") or dict.fromkeys(("precision", "recall"), Estimate(0.5, np.zeros(3))),
    )
    real, other = np.random.default_rng(0).normal(size=(2, 30, 4))
    suite.embedding_estimates(real, other, seed=0, draws=5, metrics=("recall", "precision", "frechet"))
    assert calls == ["frechet", "neighbours"]
