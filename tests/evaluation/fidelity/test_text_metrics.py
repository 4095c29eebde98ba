"""Text metrics: naive counts, scipy, known texts, empty and odd texts."""

from collections import Counter

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from support.errors import refused
from support.fidelity_toys import zipf_texts

from lib.data.tokenize import words
from lib.evaluation.fidelity import suite, text_metrics


def test_lengths_of_records_and_sentences():
    lengths = text_metrics.lengths(["One two. Three four five! Six?", "...", "no end\nnew line"])
    assert lengths.records.tolist() == [6, 0, 4]
    assert lengths.sentences.tolist() == [2, 3, 1, 2, 2] and lengths.of_record.tolist() == [0, 0, 0, 2, 2]


def test_lengths_of_scripts_without_spaces_are_in_characters():
    lengths = text_metrics.lengths(["很好。下次再来！", "ดีมาก"])
    assert lengths.records.tolist() == [6, 4] and lengths.sentences.tolist() == [2, 4, 4]


@pytest.mark.parametrize("wordless", [["", "..."], []])
def test_texts_without_a_word_have_lengths_and_no_sentence(wordless):
    lengths = text_metrics.lengths(wordless)
    assert lengths.records.tolist() == [0] * len(wordless)
    assert not len(lengths.sentences) and not len(lengths.of_record)


def test_length_distance_is_the_area_between_the_distributions():
    a, b = np.array([3, 3, 8, 10]), np.array([4, 9])
    area = sum(abs((a <= x).mean() - (b <= x).mean()) for x in range(0, 20))
    assert text_metrics.length_distance(a, b) == pytest.approx(area)
    assert text_metrics.length_distance(a, a + 2) == 2


def divergence(real: list[str], synthetic: list[str], top: int | None = text_metrics.TOP_WORDS) -> float:
    counts = text_metrics.word_counts([*real, *synthetic], top).toarray()
    return text_metrics.jensen_shannon(counts[: len(real)].sum(axis=0), counts[len(real) :].sum(axis=0))


def test_word_divergence_is_that_of_scipy_over_the_most_frequent_words_of_both():
    real, synthetic = zipf_texts(40, 1), [text.replace("camera", "Phone") for text in zipf_texts(30, 2)]
    counts = [Counter(word for text in side for word in words(text)) for side in (real, synthetic)]
    both = counts[0] + counts[1]
    top = [word for word, _ in both.most_common(6)]
    assert len(set(both.values())) > 6  # no tie decides the six
    expected = jensenshannon(*([count[word] for word in top] for count in counts), base=2) ** 2
    assert divergence(real, synthetic, top=6) == pytest.approx(expected)
    assert divergence(["a b"], ["c d"]) == 1 and divergence(real, real) == 0
    of_suite = suite.text_estimates(real, synthetic, seed=0, draws=5, metrics=("word_jsd",))["word_jsd"].value
    every = sorted({*counts[0], *counts[1]})
    assert of_suite == pytest.approx(jensenshannon(*([count[word] for word in every] for count in counts), base=2) ** 2)


def test_label_distance():
    assert text_metrics.label_distance(["a", "a", "b", "c"], ["a", "a", "b", "b"]) == 0.25
    assert text_metrics.label_distance(["a"], ["b"]) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It works well.", set()),
        ('She said "it works!"', set()),
        ("It works (mostly :)", set()),
        ("It works and then the", {"abrupt"}),
        ("Good \ufffd value.", {"non_text"}),
        ("Good \x07 value.", {"non_text"}),
        ("Fine.<|im_end|>.", {"non_text"}),
        ("12 + 30!", {"non_text"}),
        ("", {"non_text", "abrupt"}),
        ("very very very very very very good.", {"repetitive"}),
        ("他说：「很好。」", set()),
        ("यह अच्छा है।", set()),
        ("กล้องนี้ดีมาก", set()),  # Thai has no full stop
        ("他说很", {"abrupt"}),
    ],
)
def test_defects_by_name(text, expected):
    assert text_metrics.defects(text) == expected


def test_the_table_of_defects_counts_texts_and_not_ends_as_broken():
    table = text_metrics.defect_table(["Fine.", "so so so so so so so.", "and then", "\ufffd"])
    assert {name: has_it.mean() for name, has_it in table.items()} == {
        "non_text": 0.25,
        "repetitive": 0.25,
        "abrupt": 0.5,
        "broken": 0.5,
    }


@pytest.mark.parametrize(
    ("compute", "code", "name", "value"),
    [
        (lambda: text_metrics.length_distance(np.array([1]), np.array([])), "evaluation.empty_side", "synthetic", 0),
        (lambda: text_metrics.label_distance([], ["a"]), "evaluation.empty_side", "real", 0),
        (lambda: text_metrics.word_counts(["!"]), "evaluation.no_words", "texts", 1),
        (lambda: text_metrics.jensen_shannon(np.array([1, 2]), np.zeros(2)), "evaluation.no_counted_word", None, None),
        (lambda: text_metrics.defect_table([]), "evaluation.no_texts", "texts", 0),
    ],
)
def test_texts_without_content_are_refused(compute, code, name, value):
    with refused(code, name=name, value=value):
        compute()


def test_long_and_foreign_texts_have_numbers():
    odd = ["word " * 10_000, "Камера хорошая. Батарея слабая.", "这个相机很好。", "👍"]
    assert text_metrics.lengths(odd).records.tolist() == [10_000, 4, 6, 0]
    assert 0 < divergence(odd, zipf_texts(5)) <= 1
