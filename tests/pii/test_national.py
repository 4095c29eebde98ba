"""National numbers pass python-stdnum, and say the sex and the birth of their person."""

from datetime import date

import pytest

from lib.pii import national
from lib.pii.checks import NATIONAL, check
from lib.pii.locales import locales
from lib.pii.persons import Person

REFERENCE = date(2026, 1, 31)
WITH_RULE = [name for name, locale in locales().items() if locale.country in NATIONAL]
READ = [(name, NATIONAL[locales()[name].country]) for name in WITH_RULE]
TWO_DIGIT_YEARS = ("CZ", "FR", "GR", "IT", "SK")  # where python-stdnum reads the century off nothing, or not at all


@pytest.mark.parametrize("locale", WITH_RULE)
def test_the_number_is_valid_and_a_changed_digit_is_seen(locale: str) -> None:
    for seed in range(60):
        person = Person(seed, 1, locale, REFERENCE)
        number = national.national_number(person)
        assert check("SSN", number, locale) is True, number
        has_no_check_digit = person.locale.country in ("US", "DK") or ("/" in number and len(number) == 10)
        if not has_no_check_digit:
            place = max(i for i, mark in enumerate(number) if mark.isdigit())
            changed = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
            assert check("SSN", changed, locale) is False, changed


@pytest.mark.parametrize("locale", [name for name, module in READ if hasattr(module, "get_birth_date")])
def test_the_number_says_when_its_person_was_born(locale: str) -> None:
    for seed in range(60):
        person = Person(seed, 1, locale, REFERENCE)
        read = NATIONAL[person.locale.country].get_birth_date(national.national_number(person))
        born = person.birth
        if person.locale.country in TWO_DIGIT_YEARS:
            born = born.replace(year=read.year - read.year % 100 + born.year % 100)
        assert read == born


@pytest.mark.parametrize("locale", [name for name, module in READ if hasattr(module, "get_gender")])
def test_the_number_says_the_sex_of_its_person(locale: str) -> None:
    for seed in range(60):
        person = Person(seed, 1, locale, REFERENCE)
        assert NATIONAL[person.locale.country].get_gender(national.national_number(person)) == person.of_sex("FM")


@pytest.mark.parametrize(
    ("locale", "agrees"),
    [
        ("fr_FR", lambda number, person: number[:5] == person.of_sex("21") + f"{person.birth:%y%m}"),
        ("de_AT", lambda number, person: number[5:] == f"{person.birth:%d%m%y}"),
        ("ko_KR", lambda number, person: (int(number[7]) % 2 == 0) == person.female),
    ],
)
def test_what_python_stdnum_does_not_read(locale: str, agrees) -> None:
    people = [Person(seed, 1, locale, REFERENCE) for seed in range(60)]
    assert all(agrees(national.national_number(person), person) for person in people)


def test_an_italian_code_begins_with_the_name() -> None:
    """Rossi Mario is RSS MRA; four consonants in a first name leave the second out."""
    person = Person(0, 1, "it_IT", REFERENCE)
    person.__dict__ |= {"latin": ("mario", "rossi"), "female": False, "birth": date(1980, 1, 1)}
    assert national.national_number(person).startswith("RSSMRA80A01")
    person.__dict__ |= {"latin": ("gianfranco", "fo")}
    assert national.national_number(person).startswith("FOXGFR80A01")


def test_reserved_numbers() -> None:
    for locale in ("en_US", "en_GB"):
        country = locale[-2:]
        people = [(Person(s, 1, locale, REFERENCE, True), Person(s, 1, locale, REFERENCE)) for s in range(60)]
        assert all(national.is_reserved(national.national_number(kept), country) for kept, _ in people)
        assert not any(national.is_reserved(national.national_number(plain), country) for _, plain in people)


def test_a_country_without_a_rule_has_nine_digits_that_nothing_can_check() -> None:
    number = national.national_number(Person(0, 1, "ja_JP", REFERENCE))
    assert len(number) == 9 and number.isdigit() and check("SSN", number, "ja_JP") is None
