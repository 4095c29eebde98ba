"""Scores from the synthetic text alone, against plain loops."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity
from support.errors import refused

from lib.audit import text_scores
from lib.audit.canary_texts import suffixed
from lib.audit.membership import auc
from lib.audit.text_scores import bigram, overlap, similarity
from lib.data.tokenize import words

WORDS = st.lists(st.sampled_from(["the", "phone", "is", "Good,", "bad", "and"]), max_size=9).map(" ".join)
TEXTS = st.lists(WORDS, min_size=1, max_size=6)


def slow_bigram(canary, texts, smoothing):
    split = [words(t) for t in texts]
    pairs = Counter((a, b) for t in split for a, b in pairwise(t))
    firsts = Counter(a for t in split for a in t[:-1])
    size = len({w for t in split for w in t}) + 1
    logs = [math.log((pairs[a, b] + smoothing) / (firsts[a] + smoothing * size)) for a, b in pairwise(words(canary))]
    return np.mean(logs) if logs else -math.log(size)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([0.1, 1.0]))
def test_the_bigram_model_is_that_of_a_loop(canaries, texts, smoothing):
    oracle = [slow_bigram(canary, texts, smoothing) for canary in canaries]
    assert bigram(canaries, texts, smoothing=smoothing) == pytest.approx(oracle)


def test_the_bigram_model_is_a_distribution():
    texts = ["a b a c", "b a"]
    following = [f"a {w}" for w in ("a", "b", "c", "unknown")]  # one word stands for all that never occur
    assert np.exp(bigram(following, texts)).sum() == pytest.approx(1)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.integers(1, 4))
def test_overlap_is_the_share_of_runs_that_stand_in_the_texts(canaries, texts, n):
    def runs(text):
        return [tuple(words(text)[i : i + n]) for i in range(len(words(text)) - n + 1)]

    there = {run for text in texts for run in runs(text)}
    oracle = [np.mean([run in there for run in runs(c)]) if runs(c) else 0.0 for c in canaries]
    assert overlap(canaries, texts, n=n) == pytest.approx(oracle)


def test_overlap_of_one_word_is_sklearns_vocabulary():
    texts = ["apples and pears", "pears or plums"]
    seen = CountVectorizer().fit(texts).vocabulary_
    assert overlap(["plums and cherries"], texts, n=1) == pytest.approx(
        np.mean([w in seen for w in ["plums", "and", "cherries"]])
    )


@pytest.mark.parametrize("chunk", [1, 20, 10**6])
def test_similarity_is_the_mean_of_the_nearest_cosines(chunk, monkeypatch):
    monkeypatch.setattr(text_scores, "CHUNK", chunk)
    rng = np.random.default_rng(0)
    canaries, texts = rng.normal(size=(7, 5)), rng.normal(size=(12, 5))
    oracle = np.sort(cosine_similarity(canaries, texts), axis=1)
    assert similarity(canaries, texts, nearest=3) == pytest.approx(oracle[:, -3:].mean(axis=1))
    assert similarity(canaries, texts, nearest=99) == pytest.approx(oracle.mean(axis=1))


def test_scores_tell_what_was_copied():
    """A generator that repeats a third of the canaries it saw."""
    rng = np.random.default_rng(0)
    made = suffixed(200, words=[f"w{i}" for i in range(80)], rng=rng)
    included = rng.random(200) < 0.5
    texts = [m.text.reveal() for m in made]
    synthetic = [t for t, i in zip(texts, included, strict=True) if i and rng.random() < 0.3]
    for score in (bigram(texts, synthetic), overlap(texts, synthetic)):
        assert auc(score, included).low > 0.55
    nothing = [m.text.reveal() for m in suffixed(30, words=[f"w{i}" for i in range(80)], rng=rng)]
    assert auc(bigram(texts, nothing), included).low < 0.5


@pytest.mark.parametrize(
    ("call", "code", "name", "value"),
    [
        (lambda: bigram(["a b"], ["a"], smoothing=0.0), "audit.smoothing_out_of_range", "smoothing", 0.0),
        (lambda: bigram(["a b"], []), "audit.nothing_to_score", "texts", 0),
        (lambda: overlap([], ["a"]), "audit.nothing_to_score", "canaries", 0),
        (lambda: overlap(["a"], ["a"], n=0), "audit.n_out_of_range", "n", 0),
        (lambda: similarity(np.ones((2, 3)), np.ones((2, 4))), "audit.embedding_shapes", "texts", ((2, 3), (2, 4))),
        (lambda: similarity(np.ones((2, 3)), np.ones((0, 3))), "audit.embedding_shapes", "texts", ((2, 3), (0, 3))),
        (
            lambda: similarity(np.ones((2, 3)), np.ones((2, 3)), nearest=0),
            "audit.nearest_out_of_range",
            "nearest",
            0,
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(call, code, name, value):
    with refused(code, name=name, value=value):
        call()
