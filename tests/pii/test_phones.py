"""Numbers of the country, and those that are kept for fiction."""

from datetime import date

import phonenumbers
import pytest

from lib.pii.locales import locales
from lib.pii.persons import Person
from lib.pii.phones import RESERVED, is_reserved, phone

REFERENCE = date(2026, 1, 31)


@pytest.mark.parametrize("locale", locales())
def test_a_number_is_one_of_the_country(locale: str) -> None:
    values = set()
    for seed in range(20):
        person = Person(seed, 1, locale, REFERENCE)
        number = phonenumbers.parse(phone(person), person.locale.country)
        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.region_code_for_number(number) == person.locale.country
        values.add(number.national_number)
    assert len(values) >= 18


@pytest.mark.parametrize("locale", locales())
def test_a_reserved_number_is_kept_for_fiction(locale: str) -> None:
    for seed in range(20):
        person = Person(seed, 1, locale, REFERENCE, reserved=True)
        assert is_reserved(phone(person), person.locale.country)
        if person.locale.country not in RESERVED:
            assert phone(person).startswith("+1 ")


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("(212) 555-0100", "US", True),
        ("+1 415 555 0199", "DE", True),
        ("(212) 555-0200", "US", False),
        ("(212) 555-0099", "US", False),
        ("07700 900123", "GB", True),
        ("07700 910123", "GB", False),
        ("no number", "US", False),
    ],
)
def test_the_edges_of_reserved_ranges(value: str, country: str, expected: bool) -> None:
    assert is_reserved(value, country) is expected
