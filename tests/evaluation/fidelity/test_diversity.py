"""Diversity: naive counts, known texts, empty and odd texts."""

from collections import Counter
from math import exp, log

import numpy as np
import pytest
from support.errors import refused
from support.fidelity_toys import zipf_texts

from lib.data.tokenize import words
from lib.evaluation.fidelity import diversity


@pytest.mark.parametrize("n", [1, 2, 3])
def test_distinct_is_a_count_of_sets(n):
    texts = zipf_texts(30)

    def share(chosen: list[str]) -> float:
        grams = [tuple(w[i : i + n]) for w in map(words, chosen) for i in range(len(w) - n + 1)]
        return len(set(grams)) / len(grams)

    counts = diversity.ngram_counts(texts, n)
    assert diversity.distinct(counts) == pytest.approx(share(texts))
    assert diversity.distinct(counts[np.arange(3, 9)]) == pytest.approx(share(texts[3:9]))


def naive_bleu(hypothesis: list[str], references: list[list[str]]) -> float:
    """BLEU-4 as Papineni et al. 2002 write it, 0.1 for a match in an order without one."""
    total = 0.0
    for n in range(1, 5):

        def grams(tokens: list[str], n: int = n) -> Counter:
            return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))

        own, others = grams(hypothesis), [grams(reference) for reference in references]
        matches = sum(min(count, max(other[gram] for other in others)) for gram, count in own.items())
        if n == 1 and matches == 0:
            return 0.0
        total += log(max(matches, 0.1) / max(1, len(hypothesis) - n + 1)) / 4
    closest = min((abs(len(reference) - len(hypothesis)), len(reference)) for reference in references)[1]
    return exp(total) * min(1, exp(1 - closest / len(hypothesis)))


def test_self_bleu_is_that_of_every_text_against_all_others():
    odd = ["", "zebra", "the the the the the camera", "the the camera"]
    texts = [*zipf_texts(25, 3), *odd, *zipf_texts(2, 9, longest=40)]
    tokens = [words(text) for text in texts]
    expected = [naive_bleu(own, tokens[:i] + tokens[i + 1 :]) if own else 0.0 for i, own in enumerate(tokens)]
    counts = [diversity.ngram_counts(texts, n) for n in range(1, 5)]
    assert diversity.self_bleu(counts) == pytest.approx(np.array(expected))
    assert min(expected) == 0 and len({round(value, 6) for value in expected}) > 20


def test_copies_have_a_self_bleu_of_one():
    counts = [diversity.ngram_counts(["a good camera at last"] * 3, n) for n in range(1, 5)]
    assert diversity.self_bleu(counts) == pytest.approx(np.ones(3))


def test_repetition_takes_some_texts_of_a_set_and_repeats_its_draw():
    texts = [f"word{i} word{i + 1} word{i + 2} word{i + 3} word{i + 4}" for i in range(0, 500, 5)] + [
        "the same again"
    ] * 100
    whole = diversity.self_bleu([diversity.ngram_counts(texts, n) for n in range(1, 5)]).mean()
    assert diversity.repetition(texts, 200, seed=0) == pytest.approx(whole)
    some = diversity.repetition(texts, 50, seed=0)
    assert some == diversity.repetition(texts, 50, seed=0) != diversity.repetition(texts, 50, seed=1)
    assert some == pytest.approx(whole, abs=0.2)
    assert diversity.repetition(texts[:100], 100, seed=0) < 0.01 < diversity.repetition(texts[100:], 100, seed=0)


def test_vendi_counts_what_differs():
    assert diversity.vendi_score(5 * np.eye(7)) == pytest.approx(7) == diversity.vendi_score_of(np.eye(7), 7)
    assert diversity.vendi_score(np.repeat(np.eye(4), 6, axis=0)) == pytest.approx(4)
    for shape in ((9, 30), (30, 9)):
        rows = np.random.default_rng(1).normal(size=shape)
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        shares = np.linalg.eigvals(unit @ unit.T / len(rows)).real
        entropy = -sum(share * log(share) for share in shares if share > 1e-12)
        assert diversity.vendi_score(rows) == pytest.approx(exp(entropy))


def test_texts_and_embeddings_without_content_are_refused():
    with refused("evaluation.no_ngrams"):
        diversity.distinct(diversity.ngram_counts(["one two"], 3))
    with refused("evaluation.too_few_texts", name="texts", value=1):
        diversity.self_bleu([diversity.ngram_counts(["one two"], n) for n in (1, 2)])
    with refused("evaluation.zero_embeddings", value=3):
        diversity.vendi_score(np.zeros((3, 2)))
    with refused("evaluation.too_few_embeddings", value=0):
        diversity.vendi_score(np.ones((0, 2)))


def test_long_and_foreign_texts_have_a_self_bleu():
    texts = ["word " * 10_000, "Камера хорошая. Батарея слабая.", "这个相机很好。", "👍"]
    counts = [diversity.ngram_counts(texts, n) for n in range(1, 5)]
    assert np.isfinite(diversity.self_bleu(counts)).all()
