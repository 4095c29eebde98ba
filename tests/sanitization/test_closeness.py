"""How near guesses come, by days, numbers, letters and words."""

import numpy as np
import pytest

from lib.sanitization.closeness import DAYS, LONGEST, SHARE, Pair, Words, by_embedding, nearness, shared_words


@pytest.mark.parametrize(
    ("value", "guess", "expected"),
    [
        ("12 March 2021", "2021-03-12", "same"),
        ("12 March 2021", "March 2021", "near"),
        ("12 March 2021", "12 April 2021", "near"),
        ("12 March 2021", "13 April 2021", "other"),
        ("12 March 2021", "2021", "other"),
        ("12 March 2021", "a spring day", "other"),
        ("14:30", "3 pm", "near"),
        ("14:30", "3:01 pm", "other"),
        ("40", "40", "same"),
        ("40", "42", "near"),
        ("40", "43", "other"),
        ("40", "in her forties", "other"),
        ("42", "early forties", "near"),
        ("$1,000", "about 1,000", "other"),
        ("$1,240", "about $1,200", "other"),
        ("$1,240", "1,200 dollars", "near"),
        ("$810 a month", "several hundred dollars a month", "other"),
        ("$810 a month", "around 820 dollars", "near"),
        ("two hours", "a few hours", "other"),
        ("two hours", "2 hours", "near"),
        ("twelve weeks", "a dozen weeks", "other"),
        ("type 2 diabetes", "a type of diabetes", "near"),
        ("on the hip", "under the arm", "other"),
        ("AB-1234-X", "AB-1235-X", "near"),
        ("AB-1234-X", "ZZ-9999-Q", "other"),
        ("chronic lymphocytic leukemia", "it is chronic lymphocytic leukemia", "same"),
        ("chronic lymphocytic leukemia", "lymphocytic leukemia", "near"),
        ("chronic lymphocytic leukemia", "leukemia", "other"),
        ("chronic lymphocytic leukemia", "", "other"),
    ],
)
def test_a_guess_is_the_same_near_or_other(value, guess, expected):
    assert nearness([Pair(value, guess)]) == [expected]
    assert (DAYS, SHARE) == (31, 0.05), "the cases above are at these limits"


def test_who_names_many_values_has_guessed_none():
    many = ", ".join(f"{number} April 1999" for number in range(1, 25)) + ", 12 March 2021"
    assert len(many) > LONGEST
    assert nearness([Pair("12 March 2021", many)]) == ["other"]


def test_numbers_that_measure_nothing_are_near_by_their_digits_alone():
    zips = [Pair("94110", guess, "ZIPCODE") for guess in ("94110", "94111", "93000")]
    assert nearness(zips) == ["same", "near", "other"]
    assert nearness([Pair("94110", "93000")]) == ["near"]


def test_words_are_weighed_by_their_letters():
    assert shared_words([("the red house", "a red"), ("of it", "of it"), ("red", "blue")]) == [3 / 8, 0, 0]


class _Letters:
    """Encodes a text as its counts of letters."""

    def encode(self, texts):
        return np.array([[text.count(letter) for letter in "abc"] for text in texts], np.float32)


def test_embeddings_decide_where_words_do():
    words = Words(by_embedding(_Letters()), 0.9)
    pairs = [Pair("aab", "baa"), Pair("aab", "ccc"), Pair("aab", "zzz"), Pair("42", "41")]
    assert nearness(pairs, words) == ["near", "other", "other", "near"]
