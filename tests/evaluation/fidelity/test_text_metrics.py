"""Text metrics: naive counts, scipy, known texts, empty and odd texts."""

from collections import Counter
from math import exp, log

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from lib.common.errors import DoppelError
from lib.data.tokenize import words
from lib.evaluation.fidelity import diversity, suite, text_metrics

WORDS = ["the", "camera", "battery", "screen", "is", "was", "good", "bad", "very", "lens", "and", "cheap", "of", "a"]


def made(n: int, seed: int = 0, longest: int = 18) -> list[str]:
    draw = np.random.default_rng(seed)
    weights = 1 / np.arange(1, len(WORDS) + 1)
    return [
        " ".join(draw.choice(WORDS, size=draw.integers(1, longest), p=weights / weights.sum())) + "." for _ in range(n)
    ]


def test_lengths_of_records_and_sentences():
    found = text_metrics.lengths(["One two. Three four five! Six?", "...", "no end\nnew line"])
    assert found.records.tolist() == [6, 0, 4]
    assert found.sentences.tolist() == [2, 3, 1, 2, 2] and found.of_record.tolist() == [0, 0, 0, 2, 2]


def test_texts_without_a_word_have_lengths_but_no_distance_of_lengths():
    for wordless in (["", "..."], []):
        found = text_metrics.lengths(wordless)
        assert found.records.tolist() == [0] * len(wordless) and not len(found.sentences) and not len(found.of_record)
    for real, synthetic in ((made(12), ["", "..."] * 6), (["", "..."] * 6, made(12))):
        found = suite.text_estimates(real, synthetic, seed=0, draws=5)
        for name in ("record_length_w1", "sentence_length_w1"):
            assert "lengths: 12 texts hold no word; leave this arm out" in found[name].because


def test_length_distance_is_the_area_between_the_distributions():
    a, b = np.array([3, 3, 8, 10]), np.array([4, 9])
    area = sum(abs((a <= x).mean() - (b <= x).mean()) for x in range(0, 20))
    assert text_metrics.length_distance(a, b) == pytest.approx(area)
    assert text_metrics.length_distance(a, a + 2) == 2


def divergence(real: list[str], synthetic: list[str], top: int | None = text_metrics.TOP_WORDS) -> float:
    counts = text_metrics.word_counts([*real, *synthetic], top).toarray()
    return text_metrics.jensen_shannon(counts[: len(real)].sum(axis=0), counts[len(real) :].sum(axis=0))


def test_word_divergence_is_that_of_scipy_over_the_commonest_words_of_both():
    real, synthetic = made(40, 1), [one.replace("camera", "Phone") for one in made(30, 2)]
    counts = [Counter(w for one in side for w in words(one)) for side in (real, synthetic)]
    top = [word for word, _ in (counts[0] + counts[1]).most_common(6)]
    assert len({(counts[0] + counts[1])[w] for w in (counts[0] + counts[1])}) > 6  # no tie decides the six
    expected = jensenshannon(*([count[w] for w in top] for count in counts), base=2) ** 2
    assert divergence(real, synthetic, top=6) == pytest.approx(expected)
    assert divergence(["a b"], ["c d"]) == 1 and divergence(real, real) == 0
    said = suite.text_estimates(real, synthetic, seed=0, draws=5, metrics=("word_jsd",))["word_jsd"].value
    every = sorted({*counts[0], *counts[1]})
    assert said == pytest.approx(jensenshannon(*([count[w] for w in every] for count in counts), base=2) ** 2)


def test_label_distance():
    assert text_metrics.label_distance(["a", "a", "b", "c"], ["a", "a", "b", "b"]) == 0.25
    assert text_metrics.label_distance(["a"], ["b"]) == 1


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("It works well.", set()),
        ('She said "it works!"', set()),
        ("It works (mostly :)", set()),
        ("It works and then the", {"abrupt"}),
        ("Good \ufffd value.", {"non-text"}),
        ("Good \x07 value.", {"non-text"}),
        ("Fine.<|im_end|>.", {"non-text"}),
        ("12 + 30!", {"non-text"}),
        ("", {"non-text", "abrupt"}),
        ("very very very very very very good.", {"repetitive"}),
    ],
)
def test_defects_by_name(one, expected):
    assert text_metrics.defects(one) == expected


def test_the_table_of_defects_counts_texts_and_not_ends_as_broken():
    table = text_metrics.defect_table(["Fine.", "so so so so so so so.", "and then", "\ufffd"])
    assert {name: one.mean() for name, one in table.items()} == {
        "non-text": 0.25,
        "repetitive": 0.25,
        "abrupt": 0.5,
        "broken": 0.5,
    }


@pytest.mark.parametrize("n", [1, 2, 3])
def test_distinct_is_a_count_of_sets(n):
    texts = made(30)
    grams = [tuple(w[i : i + n]) for w in map(words, texts) for i in range(len(w) - n + 1)]
    counts = diversity.ngram_counts(texts, n)
    assert diversity.distinct(counts) == pytest.approx(len(set(grams)) / len(grams))
    some = [tuple(w[i : i + n]) for w in map(words, texts[3:9]) for i in range(len(w) - n + 1)]
    assert diversity.distinct(counts[np.arange(3, 9)]) == pytest.approx(len(set(some)) / len(some))


def naive_bleu(hypothesis: list[str], references: list[list[str]]) -> float:
    """BLEU-4 as Papineni et al. 2002 write it, 0.1 for a match in an order without one."""
    total = 0.0
    for n in range(1, 5):

        def grams(one, n=n):
            return Counter(tuple(one[i : i + n]) for i in range(len(one) - n + 1))

        own, others = grams(hypothesis), [grams(one) for one in references]
        matches = sum(min(count, max(other[gram] for other in others)) for gram, count in own.items())
        if n == 1 and matches == 0:
            return 0.0
        total += log(max(matches, 0.1) / max(1, len(hypothesis) - n + 1)) / 4
    closest = min((abs(len(one) - len(hypothesis)), len(one)) for one in references)[1]
    return exp(total) * min(1, exp(1 - closest / len(hypothesis)))


def test_self_bleu_is_that_of_every_text_against_all_others():
    texts = [*made(25, 3), "", "zebra", "the the the the the camera", "the the camera", *made(2, 9, longest=40)]
    found = [words(one) for one in texts]
    expected = [naive_bleu(one, found[:i] + found[i + 1 :]) if one else 0.0 for i, one in enumerate(found)]
    counts = [diversity.ngram_counts(texts, n) for n in range(1, 5)]
    assert diversity.self_bleu(counts) == pytest.approx(np.array(expected))
    assert min(expected) == 0 and len({round(one, 6) for one in expected}) > 20


def test_copies_have_a_self_bleu_of_one():
    counts = [diversity.ngram_counts(["a good camera at last"] * 3, n) for n in range(1, 5)]
    assert diversity.self_bleu(counts) == pytest.approx(np.ones(3))


def test_vendi_counts_what_differs():
    assert diversity.vendi_score(5 * np.eye(7)) == pytest.approx(7)
    assert diversity.vendi_score(np.repeat(np.eye(4), 6, axis=0)) == pytest.approx(4)
    for shape in ((9, 30), (30, 9)):
        rows = np.random.default_rng(1).normal(size=shape)
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        shares = np.linalg.eigvals(unit @ unit.T / len(rows)).real
        entropy = -sum(one * log(one) for one in shares if one > 1e-12)
        assert diversity.vendi_score(rows) == pytest.approx(exp(entropy))


@pytest.mark.parametrize(
    ("compute", "says"),
    [
        (lambda: text_metrics.length_distance(np.array([1]), np.array([])), "0 synthetic"),
        (lambda: text_metrics.word_counts(["!"]), "hold no word"),
        (lambda: text_metrics.jensen_shannon(np.array([1, 2]), np.zeros(2)), "more records"),
        (lambda: text_metrics.label_distance([], ["a"]), "0 real"),
        (lambda: text_metrics.defect_table([]), "none to look at"),
        (lambda: diversity.distinct(diversity.ngram_counts(["one two"], 3)), "lower n"),
        (lambda: diversity.self_bleu([diversity.ngram_counts(["one two"], n) for n in (1, 2)]), "at least 2"),
        (lambda: diversity.vendi_score(np.zeros((3, 2))), "3 embeddings are zero"),
        (lambda: diversity.vendi_score(np.ones((0, 2))), "0 records"),
    ],
)
def test_texts_without_content_are_refused(compute, says):
    with pytest.raises(DoppelError, match=says):
        compute()


def test_long_and_foreign_texts_have_numbers():
    odd = ["word " * 10_000, "Камера хорошая. Батарея слабая.", "这个相机很好。", "👍"]
    assert text_metrics.lengths(odd).records.tolist() == [10_000, 4, 1, 0]
    assert 0 < divergence(odd, made(5)) <= 1
    counts = [diversity.ngram_counts(odd, n) for n in range(1, 5)]
    assert np.isfinite(diversity.self_bleu(counts)).all()
