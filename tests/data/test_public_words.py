"""Ordinary words of a language, in an order of their own, and no locale is guessed."""

import pytest
from support.errors import refused

from lib.data.public_words import faker, public_words


def test_words_are_sorted_different_and_of_the_language() -> None:
    english, german = public_words(), public_words("de_DE")
    assert english == sorted(set(english)) and len(english) > 300 and "because" in english
    assert "weil" in german and german == public_words("de_DE")
    assert len(set(english) & set(german)) < 0.1 * len(english)


@pytest.mark.parametrize("locale", ["xx_XX", "english", "en-US-x"])
def test_a_locale_that_faker_does_not_know_is_refused(locale: str) -> None:
    for function in (public_words, faker):
        with refused("data.unknown_locale", name="locale", value=locale):
            function(locale)
