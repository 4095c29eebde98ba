"""Each locale has names in its own language, and words with a female and a male side."""

import pytest

from lib.common.errors import DoppelError
from lib.pii.locales import generator, locale_named, locales


@pytest.mark.parametrize("name", locales())
def test_faker_has_persons_and_addresses_in_the_language(name: str) -> None:
    for topic in ("person", "address"):
        provider = generator(name).provider(f"faker.providers.{topic}")
        assert provider.__lang__.partition("_")[0] == name.partition("_")[0]


@pytest.mark.parametrize("name", locales())
def test_words_have_two_sides_that_do_not_mix(name: str) -> None:
    words = locale_named(name).words
    for topic in ("prefixes", "genders"):
        women, men = map(set, words[topic])
        assert women and men and women & men <= {"Dr."}
    assert len(set(words["sexes"])) == 2


def test_a_language_without_a_topic_takes_the_english_one() -> None:
    assert locale_named("fi_FI").words["eyes"] == locale_named("en_US").words["eyes"]
    assert locale_named("de_AT").words["eyes"] != locale_named("en_US").words["eyes"]


@pytest.mark.parametrize(("name", "near"), [("de", "de_"), ("en-US", "en_US"), ("EN_us", ""), ("tr_TR", ""), ("", "")])
def test_an_unknown_locale_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(DoppelError) as refusal:
        locale_named(name)
    assert refusal.value.code == "pii.unknown_locale" and refusal.value.value == name
    assert near in refusal.value.remedy
