"""Logistic regressions on words and on embeddings."""

import numpy as np
from support.errors import refused
from support.utility_toys import matched, records, transferred

from lib.evaluation.utility import linear_classifiers


def test_a_regression_on_vectors_learns_the_label_they_carry():
    compared = matched(arm=records(60, 3))
    codes, _ = compared.codes("mood")
    vectors = np.random.default_rng(0).normal(size=(len(codes), 4)) + 3 * codes[:, None]
    assert transferred(compared, linear_classifiers.embedded(vectors))["accuracy"]["arm"].value > 0.95


def test_words_of_one_letter_are_read_and_the_vocabulary_is_limited_to_the_most_frequent():
    reader = linear_classifiers.read_words(["I like it", "I like cats", "I run"])
    assert set(reader.get_feature_names_out()) == {"i", "like", "it", "cats", "run"}
    assert set(linear_classifiers.read_words(["I like it", "I like cats", "I run"], 2).get_feature_names_out()) == {
        "i",
        "like",
    }


def test_characters_of_scripts_without_spaces_are_words():
    assert set(linear_classifiers.read_words(["我的iPhone", "ดีมาก"]).get_feature_names_out()) == {
        *("我", "的", "iphone"),
        *("ดี", "ม", "า", "ก"),
    }


def test_texts_without_words_are_refused():
    with refused("evaluation.no_words_to_train_on", name="texts", value=2):
        linear_classifiers.read_words(["!!!", "..."])
