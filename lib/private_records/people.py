"""A made-up person from a seed: every field of ``fields.csv``, so that name, sex, age, address and numbers agree."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from random import Random

from lib.data.hash_order import rank
from lib.pii.locales import generator
from lib.pii.persons import years_before
from lib.pii.values import Ranges, Values
from lib.private_records.fields import DRAWN, fields
from lib.private_records.seeds import Table
from lib.private_records.task import Task

ENGLISH = ("JOBTITLE",)  # fields that are words of the country's language, and stand in an English text


def new_task(
    id: str, stage_seed: int, given: Mapping[str, str], table: Table, countries: Mapping[str, float], ranges: Ranges
) -> Task:
    """A record's task: its seed made whole, and its person.

    Args:
        id: of the record; with ``stage_seed`` it fixes all draws.
        stage_seed: of the stage.
        given: columns of the seed that a user's file has, checked (`lib.private_records.seeds.read`).
        table: what else is drawn from.
        countries: share of each country.
        ranges: of the values, see `lib.pii.values.Values`.
    """
    seed = rank(stage_seed, "private_records.record", id)
    row = table.complete(given, seed, countries)
    country, day = table.countries[row["country"]], date.fromisoformat(row["date"])
    if "first_name" in row and "sex" not in given:
        row["sex"] = _sex_of(row["first_name"], country.locale) or row["sex"]
    female = row["sex"] == "female"
    values = Values(seed, country.locale, day, ranges)
    row["first_name"] = row.get("first_name") or _first_name(values, female)
    english = Values(seed, "en_US", day, ranges)
    birth = _birth(int(row["age"]), day, Random(rank(seed, "private_records.seed", "birth")))
    for one in (values, english):
        one.person(1).fix(first=row["first_name"], female=female, birth=birth)
    known = {
        field.name: DRAWN[slot](values.person(1))
        if slot in DRAWN
        else (english if slot in ENGLISH else values).value(slot, 1)
        for slot, field in fields().items()
        if field.name not in row
    }
    written = day.strftime(values.person(1).pick("date form", values.person(1).locale.dates))
    further = {"ethnicity": table.pick("ethnicity", Random(rank(seed, "private_records.seed", "ethnicity")))}
    facts = row | known | further | {"citizenship": country.citizen, "date": written}
    if facts["disability"] == "none":
        del facts["disability"]
    ordered = {column: row[column] for column in ("first_name", *row)}
    return Task(id, seed, ordered, facts, values)


def _first_name(values: Values, female: bool) -> str:
    """A first name of the sex; drawn before anything else of the person is."""
    person = values.person(1)
    fake = generator(person.locale.name)
    fake.random = person.rng("first")
    return " ".join((fake.first_name_female() if female else fake.first_name_male()).split())


def _birth(age: int, day: date, rng: Random) -> date:
    """A date of birth: of somebody who is ``age`` years old on the ``day``."""
    oldest, youngest = years_before(day, age + 1), years_before(day, age)
    return date.fromordinal(rng.randint(oldest.toordinal() + 1, youngest.toordinal()))


def _sex_of(name: str, locale: str) -> str | None:
    """The sex whose first names alone have a name; None where both or neither has it."""
    female, male = (name in names for names in _names(locale))
    return None if female == male else "female" if female else "male"


@cache
def _names(locale: str) -> tuple[frozenset[str], frozenset[str]]:
    """First names of women and of men."""
    provider = generator(locale).provider("faker.providers.person")
    return frozenset(provider.first_names_female), frozenset(provider.first_names_male)
