"""Labelled text of foreign origin: presidio-evaluator's templates, filled with its persons.

The package (MIT) has 210 templates that people wrote, 3,000 made-up persons of fakenamegenerator.com (CC BY-SA 3.0 US),
and lists of organizations, nationalities and driving licences. It is fetched as data; its code is not used, and nothing
of it is shipped. What the persons lack is drawn by Faker, as the package does too: numbers of cards, accounts, social
security, internet addresses and flats.

Unlike its own generator, all persons of a text come from its file, so that no name is one of Faker's, from which our
own values are drawn; an address is made of a person's, each of its parts a span of its own; ``\\n`` in a template is a
line break; and ``{street_name}`` in single braces is a field as well.
"""

import csv
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from faker import Faker

from lib.data.assets import fetch
from lib.pii.exports.examples import Example
from lib.pii.spans import Filled, Span

ASSET = "presidio-evaluator"
TABLE = Path(__file__).with_name("foreign.csv")
ADDRESSES = (  # layouts of an address, after those of the package
    "{{street_address}}\\n{{city}}, {{state_abbr}} {{postcode}}",
    "{{street_address}}\\n{{city}}\\n{{country}} {{postcode}}",
    "{{street_address}}, {{city}}, {{country}}",
    "{{street_address}} {{secondary_address}}, {{city}}, {{country}} {{postcode}}",
    "{{street_address}} {{secondary_address}} {{city}} {{state}}",
    "{{street_address}}\\n {{secondary_address}}\\n {{city}}\\n {{country}}",
)
AS_LABELLED = {"country": "LOCATION", "day_of_week": "DATE_TIME", "year": "DATE_TIME"}  # of fields without our class
FIRST, SECONDS = datetime(1970, 1, 1), 55 * 365 * 24 * 3600  # when times begin, and how far they reach
INITIALS = 0.2  # share of full names with the initial of a second given name, as the package has it

_FIELD = re.compile(r"\{\{?\s*(\w+)\s*\}?\}")
_NUMBER = re.compile(r"^\d+\S*\s+|,?\s+\d\S*$")  # of a house, before or behind the street
_Row = Mapping[str, str]


class Field(NamedTuple):
    """A field of the templates.

    Attributes:
        label: what presidio-evaluator calls its spans.
        classes: our classes that its values are of; empty where we have none.
    """

    label: str
    classes: tuple[str, ...]


@cache
def fields() -> dict[str, Field]:
    """The fields of the templates by name, from ``foreign.csv``."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["field"]: Field(row["label"], tuple(row["classes"].split())) for row in csv.DictReader(file)}


def texts(each: int, *, seed: int) -> list[Example]:
    """The templates, each filled several times.

    Args:
        each: how often, at least 1.
        seed: of the values.

    Returns:
        210 x ``each`` texts. The id of one is ``TEMPLATE-NUMBER``; labels are the fields' names, see `fields`.

    Raises:
        DoppelError: the package cannot be fetched.
    """
    writer = _Writer(fetch(ASSET), seed)
    return [
        Example(f"{number}-{time}", "en", writer.filled(template))
        for number, template in enumerate(writer.templates)
        for time in range(each)
    ]


class _Writer:
    """The package's files, and one stream of random numbers."""

    def __init__(self, folder: Path, seed: int):
        self.rng, self.fake = random.Random(seed), Faker("en_US")
        self.fake.seed_instance(seed)
        self.templates = _lines(folder / "templates.txt")
        with (folder / "FakeNameGenerator.com_3000.csv").open(encoding="utf-8-sig", newline="") as file:
            self.persons = list(csv.DictReader(file))
        self.organizations = [line.strip('"') for line in _lines(folder / "companies_and_organizations.csv")[1:]]
        self.licences = _lines(folder / "us_driver_licenses.csv")[1:]
        with (folder / "nationalities.csv").open(encoding="utf-8-sig", newline="") as file:
            self.nations = list(csv.DictReader(file))

    def filled(self, template: str) -> Filled:
        """A template with values: its first name, address and so on are one person's, further ones those of others."""
        text, spans, used = "", [], set()
        person = self._person()
        for literal, name in _pieces(self._with_addresses(template)):
            text += literal
            if name is None:
                continue
            own = self._person(name) if name in used else self._fitting(name, person)
            while not (value := self._value(name, own)):  # a few have no state or postal code
                own = self._person(name)
            used.add(name)
            spans.append(Span(len(text), len(text) + len(value), name, value))
            text += value
        return Filled(text, tuple(spans))

    def _with_addresses(self, template: str) -> str:
        return re.sub(r"\{\{address\}\}", lambda _: self.rng.choice(ADDRESSES), template)

    def _person(self, name: str = "") -> _Row:
        return self._fitting(name, self.rng.choice(self.persons))

    def _fitting(self, name: str, person: _Row) -> _Row:
        """The person, or another where the field's name asks for a man or a woman."""
        asked = name.rpartition("_")[2]
        while asked in ("male", "female") and person["Gender"] != asked:
            person = self.rng.choice(self.persons)
        return person

    def _value(self, name: str, person: _Row) -> str:
        stem = re.sub("_(male|female|nonbinary)$", "", name)
        value = person[COLUMNS[stem]] if stem in COLUMNS else DRAWN[stem](self, person)
        return " ".join(value.split())


COLUMNS = {  # field -> column of the persons
    "first_name": "GivenName", "last_name": "Surname", "prefix": "Title", "job": "Occupation", "age": "Age",
    "street_address": "StreetAddress", "city": "City", "state": "StateFull", "state_abbr": "State",
    "postcode": "ZipCode", "zipcode": "ZipCode", "country": "CountryFull", "nationality": "NameSet",
    "email": "EmailAddress", "phone_number": "TelephoneNumber", "date_of_birth": "Birthday",
}  # fmt: skip


def _full_name(writer: _Writer, person: _Row) -> str:
    initial = f"{person['MiddleInitial']}{writer.rng.choice(['', '.'])} " if writer.rng.random() < INITIALS else ""
    return f"{person['GivenName']} {initial}{person['Surname']}"


DRAWN: Mapping[str, Callable[[_Writer, _Row], str]] = {
    "person": _full_name,
    "name": _full_name,
    "street_name": lambda _, person: _NUMBER.sub("", person["StreetAddress"]),
    "building_number": lambda writer, _: str(writer.rng.randint(1, 9999)),
    "secondary_address": lambda writer, _: writer.fake.secondary_address(),
    "organization": lambda writer, _: writer.rng.choice(writer.organizations),
    "url": lambda writer, person: writer.rng.choice(["http://{}/", "https://www.{}/", "www.{}"]).format(
        person["Domain"]
    ),
    "ip_address": lambda writer, _: writer.fake.ipv4() if writer.rng.random() < 0.8 else writer.fake.ipv6(),
    "credit_card_number": lambda writer, _: writer.fake.credit_card_number(),
    "iban": lambda writer, _: writer.fake.iban(),
    "ssn": lambda writer, _: writer.fake.ssn(),
    "us_driver_license": lambda writer, _: writer.rng.choice(writer.licences),
    "date_time": lambda writer, _: str(FIRST + timedelta(seconds=writer.rng.randrange(SECONDS))),
    "day_of_week": lambda writer, _: writer.fake.day_of_week(),
    "year": lambda writer, _: str((FIRST + timedelta(seconds=writer.rng.randrange(SECONDS))).year),
    "nation_woman": lambda writer, _: writer.rng.choice(writer.nations)["woman"].title(),
    "nation_plural": lambda writer, _: writer.rng.choice(writer.nations)["plural"].title(),
}


def _pieces(template: str) -> Iterator[tuple[str, str | None]]:
    """Text and the field behind it, from left to right; None behind the last text."""
    done = 0
    for match in _FIELD.finditer(template):
        yield _unescaped(template[done : match.start()]), match[1]
        done = match.end()
    yield _unescaped(template[done:]), None


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\,", ",")


def _lines(path: Path) -> Sequence[str]:
    return [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
