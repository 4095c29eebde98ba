"""Where a person lives: a city, its county and state, and a postal code of the same place."""

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from faker.generator import Generator

from lib.pii.locales import generator

TABLE = Path(__file__).with_name("places.csv")
COUNTIES = {  # made of a family name, where the city is made up too
    "en_AU": "Shire of {}",
    "en_CA": "{} County",
    "en_US": "{} County",
    "es_MX": "Municipio de {}",
    "fr_CA": "Comté de {}",
    "pt_BR": "Comarca de {}",
}
US_COUNTIES = {"Louisiana": "{} Parish", "Alaska": "{} Borough"}
LETTERS = "ABEGHJLNPRTWXYZ"  # in the postal codes of Canada, the Netherlands and the United Kingdom alike


class Place(NamedTuple):
    """A place of residence.

    Args:
        city: a real one, or made up of a name and an ending, as Faker does for English, French and others.
        county: the district below the state: made up where the city is; the municipality, of the city's name, where
            ``places.csv`` has no other; the state where that table has no rows for the locale.
        state: the state, region or nation; the city itself where Faker has none for the locale.
        zip: postal code.
    """

    city: str
    county: str
    state: str
    zip: str


def vouched(locale: str) -> bool:
    """Whether city, county, state and postal code of `draw` cannot contradict each other in ``locale``.

    They follow from one row of ``places.csv`` or from Faker's tables of postal codes; a city that is made up lies
    nowhere else. In the other locales each is true to the country, and drawn by itself.
    """
    return locale == "en_US" or locale in _tables()


def draw(locale: str, rng: Random) -> Place:
    """A place in the country of ``locale``.

    Args:
        locale: as `lib.pii.locales.locale_named` takes it.
        rng: what the place is drawn with.
    """
    fake = generator(locale)
    fake.random = rng
    if locale == "en_US":
        return _in_us(fake)
    if locale == "it_IT":
        return _in_italy(fake)
    if locale in _tables():
        row = rng.choice(_tables()[locale])
        city = row["city"] or fake.city()
        county = row["county"] or row["city"] or COUNTIES[locale].format(fake.last_name())
        return Place(city, county, row["state"], _filled(rng.choice(row["zips"].split("|")), rng))
    city, zip_code = fake.city(), fake.postcode()
    states = getattr(fake, "administrative_unit", None) or getattr(fake, "region", None)
    state = states() if states else city
    return Place(city, state, state, zip_code)


def _in_us(fake: Generator) -> Place:
    provider = fake.provider("faker.providers.address")
    abbreviations = [code for code in provider.states_abbr if code != "DC"]  # as many as names, in the same order
    abbreviation, state = fake.random.choice(list(zip(abbreviations, provider.states, strict=True)))
    county = US_COUNTIES.get(state, COUNTIES["en_US"]).format(fake.last_name())
    return Place(fake.city(), county, state, fake.zipcode_in_state(abbreviation))


def _in_italy(fake: Generator) -> Place:
    """A real postal code with its city and province; Faker's own `city` is drawn in an order that no seed fixes."""
    zip_code, cities = fake.random.choice(_italian_cities())
    city, abbreviation = fake.random.choice(cities)
    province = _italian_provinces()[abbreviation]
    return Place(city, province["county"], province["state"], zip_code)


@cache
def _italian_cities() -> list[tuple[str, list[list[str]]]]:
    return list(generator("it_IT").provider("faker.providers.address").cap_city_province.items())


@cache
def _italian_provinces() -> dict[str, dict[str, str]]:
    """The rows of Italy's provinces; their abbreviations stand in the place of a city."""
    return {row["city"]: row for row in _tables()["it_IT"]}


@cache
def _tables() -> dict[str, list[dict[str, str]]]:
    """The rows of ``places.csv`` by locale."""
    tables: dict[str, list[dict[str, str]]] = defaultdict(list)
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tables[row["locale"]].append(row)
    return dict(tables)


def _filled(pattern: str, rng: Random) -> str:
    """A pattern with its places filled: # is a digit, % a digit from 1 to 9, @ a letter."""
    choices = {"#": "0123456789", "%": "123456789", "@": LETTERS}
    return "".join(rng.choice(choices.get(mark, mark)) for mark in pattern)
