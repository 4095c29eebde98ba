"""The particulars of a person agree, whatever is asked first."""

import unicodedata
from datetime import date

import pytest
from dateutil.relativedelta import relativedelta

from lib.pii.locales import generator, locales
from lib.pii.persons import AGES, Person, years_before

REFERENCE = date(2024, 2, 29)


def people(locale: str, count: int = 40) -> list[Person]:
    return [Person(seed, 1, locale, REFERENCE) for seed in range(count)]


@pytest.mark.parametrize("locale", locales())
def test_first_name_prefix_and_gender_are_of_one_sex(locale: str) -> None:
    provider = generator(locale).provider("faker.providers.person")
    women, men = (set(getattr(provider, f"first_names_{sex}", ())) for sex in ("female", "male"))
    assert women and men
    words = people(locale)[0].locale.words
    for person in people(locale):
        assert person.first in (women if person.female else men)
        assert person.prefix in words["prefixes"][0 if person.female else 1]
        assert person.gender in words["genders"][0 if person.female else 1]
        assert person.sex == words["sexes"][0 if person.female else 1]
    assert 8 < sum(person.female for person in people(locale)) < 32


@pytest.mark.parametrize("locale", ["cs_CZ", "ru_RU", "pl_PL", "uk_UA", "el_GR", "sk_SK"])
def test_family_names_that_have_a_sex_have_the_right_one(locale: str) -> None:
    provider = generator(locale).provider("faker.providers.person")
    lists = [
        set(getattr(provider, f"last_names_{sex}", ())) | set(getattr(provider, "last_names_unisex", ()))
        for sex in ("female", "male")
    ]
    lists = [names | set(getattr(provider, "unisex_last_names", ())) for names in lists]
    mixed = [person.last for person in people(locale) if person.last not in lists[0 if person.female else 1]]
    assert mixed == []


@pytest.mark.parametrize("reference", [date(2024, 2, 29), date(2025, 2, 28), date(2026, 1, 1), date(1999, 12, 31)])
def test_age_is_what_the_birth_says(reference: date) -> None:
    ages = set()
    for seed in range(400):
        person = Person(seed, 1, "en_US", reference)
        assert person.age == relativedelta(reference, person.birth).years
        ages.add(person.age)
    assert min(ages) >= AGES[0] and max(ages) < AGES[1] and len(ages) > 60


def test_years_before_a_leap_day() -> None:
    assert years_before(date(2024, 2, 29), 1) == date(2023, 2, 28)
    assert years_before(date(2024, 2, 29), 4) == date(2020, 2, 29)


@pytest.mark.parametrize("locale", locales())
def test_names_can_be_written_in_latin_letters(locale: str) -> None:
    for person in people(locale):
        assert all(name.isascii() and name.isalpha() and name.islower() for name in person.latin)


def test_latin_letters_of_a_language() -> None:
    person = Person(0, 1, "de_DE", REFERENCE)
    assert person._letters("Weiß-Müller") == "weissmueller"
    assert Person(0, 1, "fr_FR", REFERENCE)._letters("Müller d'Étoile") == "mullerdetoile"
    plain = unicodedata.normalize("NFKD", "Żółć").encode("ascii", "ignore").decode().lower()
    assert Person(0, 1, "pl_PL", REFERENCE)._letters("Żółć") in (plain, "zolc")


def test_a_japanese_name_is_read_in_japanese() -> None:
    """Character by character, 佐藤 would be read in Chinese: zuoteng."""
    provider = generator("ja_JP").provider("faker.providers.person")
    read = {pair[0]: pair[2].lower() for pair in provider.last_name_pairs}
    assert all(person.latin[1] == read[person.last] for person in people("ja_JP"))


def test_the_middle_name_is_another_and_of_the_same_sex() -> None:
    for locale in ("en_US", "ja_JP", "de_DE"):
        assert all(person.middle != person.first for person in people(locale))
    endings = {person.middle[-1] for person in people("ru_RU") if person.female}
    assert endings == {"а"}  # patronymics: Ивановна


def test_what_is_asked_first_does_not_matter() -> None:
    fields = ("first", "last", "middle", "prefix", "gender", "birth", "place", "latin")
    for locale in ("en_US", "it_IT", "ja_JP", "ru_RU"):
        forth, back = (Person(3, 2, locale, REFERENCE) for _ in range(2))
        expected = {field: getattr(forth, field) for field in fields}
        assert {field: getattr(back, field) for field in reversed(fields)} == expected


def test_persons_of_other_numbers_and_seeds_are_others() -> None:
    people = [Person(seed, number, "en_US", REFERENCE) for seed in range(20) for number in (1, 2)]
    assert len({(person.first, person.last) for person in people}) > 35


def test_what_is_fixed_of_a_person_is_kept_and_the_rest_agrees() -> None:
    person = Person(3, 1, "en_US", date(2020, 5, 6))
    person.fix(first="Zoë", female=True, birth=date(1990, 5, 7))
    assert (person.first, person.age, person.sex, person.latin[0]) == ("Zoë", 29, "female", "zoe")
    assert person.last == Person(3, 1, "en_US", date(2020, 5, 6)).last
