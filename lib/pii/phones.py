"""Telephone numbers of a person's country.

A plausible number is libphonenumber's example of a mobile or fixed line with other last digits, drawn until
libphonenumber takes it for a number of the country. So libphonenumber's check of such a number is no independent one:
it shows only that the number can be read back as it is written.
"""

import re
from functools import cache
from random import Random

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from lib.pii.persons import Person

VARIED = 8  # digits at the end that are drawn
TRIES = 200
KINDS = (PhoneNumberType.MOBILE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
FORMATS = (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164)
US_AREAS = ("202", "212", "213", "305", "312", "404", "415", "503", "512", "602", "617", "702", "713", "718", "801")
CA_AREAS = ("204", "403", "416", "506", "514", "604", "613", "709", "780", "902")
RESERVED = {  # national numbers that a regulator keeps for films and examples; "#" is any digit
    "US": tuple(f"{area}55501##" for area in US_AREAS),  # NANPA: 555-0100 to 555-0199
    "CA": tuple(f"{area}55501##" for area in CA_AREAS),
    "GB": ("7700900###", "2079460###", "1632960###"),  # Ofcom: numbers for drama
    "FR": ("19900####", "26191####", "35301####", "46571####", "53649####", "63998####"),  # ARCEP, fiction
    "DE": ("3023125###", "4066969###", "6990009###", "8999998###"),  # Bundesnetzagentur: numbers for media
    "AU": ("25550####", "37010####", "75550####"),  # ACMA: numbers for films
    "SE": ("8465004##", "3139006##", "4062804##"),  # PTS
}


def phone(person: Person) -> str:
    """A number of the person's country, written as there, internationally, or without any blank.

    In a country without reserved numbers a reserved one is North American, written internationally.
    """
    rng, country = person.rng("phone"), person.locale.country
    if person.reserved and country not in RESERVED:
        return phonenumbers.format_number(_reserved("US", rng), PhoneNumberFormat.INTERNATIONAL)
    number = _reserved(country, rng) if person.reserved else _plausible(country, rng)
    return phonenumbers.format_number(number, rng.choice(FORMATS))


def is_reserved(value: str, country: str) -> bool:
    """Whether a number is one that a regulator keeps for films and examples.

    Args:
        value: as written; a number without a country's prefix is one of ``country``.
        country: ISO 3166 alpha-2.
    """
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        return False
    digits = phonenumbers.national_significant_number(number)
    regions = phonenumbers.region_codes_for_country_code(number.country_code)
    patterns = [pattern for region in regions for pattern in RESERVED.get(region, ())]
    return any(re.fullmatch(pattern.replace("#", r"\d"), digits) for pattern in patterns)


def _reserved(country: str, rng: Random) -> PhoneNumber:
    pattern = rng.choice(RESERVED[country])
    digits = "".join(str(rng.randrange(10)) if mark == "#" else mark for mark in pattern)
    return phonenumbers.parse(digits, country)


def _plausible(country: str, rng: Random) -> PhoneNumber:
    example, fixed = _example(country, rng.choice(KINDS))
    for attempt in range(TRIES):
        kept = max(fixed, len(example) - VARIED + attempt // 20)  # fewer digits are drawn where few are valid
        drawn = [rng.randrange(1, 10), *(rng.randrange(10) for _ in example[kept + 1 :])]
        number = _number(country, example[:kept] + "".join(map(str, drawn)))
        if phonenumbers.is_valid_number_for_region(number, country):
            return number
    return _number(country, example)


@cache
def _example(country: str, kind: int) -> tuple[str, int]:
    """The national digits of libphonenumber's example, and how many of them are kept at least."""
    number = phonenumbers.example_number_for_type(country, kind)
    digits = phonenumbers.national_significant_number(number)
    return digits, 0 if number.country_code == 1 else 2  # a North American example has the area 201 or 506 alone


def _number(country: str, digits: str) -> PhoneNumber:
    zero = len(digits) - len(digits.lstrip("0"))  # Italian numbers keep a zero in front
    return PhoneNumber(
        country_code=phonenumbers.country_code_for_region(country),
        national_number=int(digits),
        italian_leading_zero=True if zero else None,
        number_of_leading_zeros=zero if zero > 1 else None,
    )
