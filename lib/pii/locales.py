"""The locales that persons can be drawn in: how each writes dates, times and sums, and Faker's generator for it."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from faker.factory import Factory
from faker.generator import Generator

from lib.common.errors import DoppelError, nearest
from lib.stage import strict_yaml

FOLDER = Path(__file__).parent
WEIGHTED = ("es_CL",)  # Faker draws its names in pairs, which it cannot without their frequencies


@dataclass(frozen=True)
class Locale:
    """A language in a country. Its names, streets and towns come from Faker's provider of the same name.

    Args:
        name: language and country as Faker spells them: ``de_AT``.
        country: ISO 3166 alpha-2: ``AT``.
        dates: forms of a day, as strftime takes them; each date is written in one of them.
        clocks: forms of a time of day.
        decimal: the mark between units and cents.
        grouping: the mark between thousands.
        words: words of the language that Faker has not, by topic (``words.yml``); English where the file has no such
            topic in the language.
    """

    name: str
    country: str
    dates: tuple[str, ...]
    clocks: tuple[str, ...]
    decimal: str
    grouping: str
    words: dict[str, Any]


@cache
def locales() -> dict[str, Locale]:
    """All locales by name."""
    words = strict_yaml.read(FOLDER / "words.yml", "lib/pii/words.yml")
    with (FOLDER / "locales.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["locale"]: Locale(
            name=row["locale"],
            country=row["country"],
            dates=tuple(row["dates"].split("|")),
            clocks=tuple(row["clock"].split("|")),
            decimal=row["decimal"],
            grouping=row["grouping"],
            words=words["en"] | (words.get(row["locale"]) or words.get(row["locale"].partition("_")[0], {})),
        )
        for row in rows
    }


def locale_named(name: str) -> Locale:
    """The locale of a name.

    Args:
        name: ``de_AT``; only those in which Faker has names of persons, so that no German text gets American ones.

    Raises:
        DoppelError: there is no such locale here; the remedy names the nearest one.
    """
    if name not in locales():
        remedy = nearest(name, locales())
        raise DoppelError(
            "pii.unknown_locale", f"locale = {name!r} is not known", name="locale", value=name, remedy=remedy
        )
    return locales()[name]


@cache
def generator(locale: str) -> Generator:
    """Faker's generator for a locale, shared: whoever draws from it sets its ``random`` first.

    Names are drawn with equal chances, not by how frequent they are (but for `WEIGHTED`): that is faster, and a
    detector trained on the texts then sees more names.

    Args:
        locale: as `locale_named` takes it.
    """
    return Factory.create(locale_named(locale).name, use_weighting=locale in WEIGHTED)
