"""Made-up persons whose particulars agree with each other and with a locale, each drawn only when it is asked for."""

import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from random import Random
from typing import Any

from faker.decode import unidecode

from lib.data.hash_order import rank
from lib.pii import places
from lib.pii.locales import Locale, generator, locale_named

AGES = (18, 90)  # years; the youngest age, and the first one that is too old
WRITTEN = {  # how a language writes letters that are not ASCII, where it is not by leaving marks out
    "de": {"ä": "ae", "ö": "oe", "ü": "ue"},
    "da": {"å": "aa", "ø": "oe", "æ": "ae"},
    "no": {"å": "aa", "ø": "oe", "æ": "ae"},
}


class Person:
    """A made-up person, drawn from a seed.

    Every particular has a random stream of its own, fixed by the seed of the record, the number of the person and the
    particular's name. So a person is the same in whatever order one asks, and what nobody asks for is not drawn. Other
    values of a person (e-mail, phone, card) are drawn from such streams by the functions of `lib.pii.values`.

    The values are those of one version of Faker and of the tables here: another version draws others.

    Args:
        seed: of the record (the text); any integer.
        number: of the person in its text, from 1.
        locale: language and country: ``de_AT``.
        reference: the day on which the text is written: ages are counted to it, and no date lies after it.
        reserved: whether values come from ranges that are set aside for documentation, where there are such.

    Raises:
        DoppelError: an unknown locale; the remedy names the nearest one.
    """

    def __init__(self, seed: int, number: int, locale: str, reference: date, reserved: bool = False):
        self.seed, self.number, self.reference, self.reserved = seed, number, reference, reserved
        self.locale: Locale = locale_named(locale)

    def rng(self, field: str) -> Random:
        """The random stream of a particular, from its start.

        Args:
            field: its name; two with one name would be drawn from the same numbers.
        """
        return Random(rank(self.seed, f"pii.{self.number}", field))

    def pick(self, field: str, options: Sequence[Any]) -> Any:
        """One of ``options``, by the stream of ``field``."""
        return self.rng(field).choice(options)

    def fake(self, field: str, method: str, *args: Any, **settings: Any) -> Any:
        """What a method of Faker's generator for the locale gives, drawn by the stream of ``field``."""
        fake = generator(self.locale.name)
        fake.random = self.rng(field)
        return getattr(fake, method)(*args, **settings)

    def fix(self, *, first: str, female: bool, birth: date) -> None:
        """Say what is known of the person already; all else agrees with it. Call it before anything is drawn.

        Args:
            first: given name.
            female: whether first name, form of address, gender and national number are a woman's.
            birth: date of birth, not after ``reference``.
        """
        self.female, self.birth, self._first = female, birth, (first, first)

    @cached_property
    def female(self) -> bool:
        """Whether first name, form of address, gender and national number are a woman's; otherwise a man's."""
        return self.rng("female").random() < 0.5

    def of_sex(self, pair: Sequence[Any]) -> Any:
        """The first of ``pair`` for a woman, the second for a man."""
        return pair[0] if self.female else pair[1]

    @cached_property
    def sex(self) -> str:
        """Female or male, in the locale's language, or in English where ``words.yml`` has no such word."""
        return self.of_sex(self.locale.words["sexes"])

    @cached_property
    def gender(self) -> str:
        """How the person describes their gender, in words that go with the form of address and the first name."""
        return self.pick("gender", self.of_sex(self.locale.words["genders"]))

    @cached_property
    def prefix(self) -> str:
        """A form of address."""
        return self.pick("prefix", self.of_sex(self.locale.words["prefixes"]))

    @cached_property
    def first(self) -> str:
        """Given name."""
        return self._first[0]

    @cached_property
    def middle(self) -> str:
        """A second given name, unlike the first; a patronymic where the language has it."""
        if self.locale.country in ("RU", "UA"):
            return self._named("middle", "middle_name")
        rng = self.rng("middle")
        while (name := self._given(rng)[0]) == self.first:
            pass
        return name

    @cached_property
    def last(self) -> str:
        """Family name."""
        return self._last[0]

    @cached_property
    def latin(self) -> tuple[str, str]:
        """Given and family name in the letters a to z, as e-mail addresses and handles have them."""
        return self._letters(self._first[1]), self._letters(self._last[1])

    @cached_property
    def birth(self) -> date:
        """Date of birth: of an adult under 90 at the reference date."""
        youngest, oldest = (years_before(self.reference, age) for age in AGES)
        return date.fromordinal(self.rng("birth").randint(oldest.toordinal() + 1, youngest.toordinal()))

    @cached_property
    def age(self) -> int:
        """Years lived at the reference date."""
        birthday_ahead = (self.reference.month, self.reference.day) < (self.birth.month, self.birth.day)
        return self.reference.year - self.birth.year - birthday_ahead

    @cached_property
    def place(self) -> places.Place:
        """City, county, state and postal code of the home."""
        return places.draw(self.locale.name, self.rng("place"))

    @cached_property
    def _first(self) -> tuple[str, str]:
        return self._given(self.rng("first"))

    @cached_property
    def _last(self) -> tuple[str, str]:
        if self.locale.name == "ja_JP":
            written, _, latin = self.fake("last", "last_name_pair")
            return written, latin
        return (self._named("last", "last_name"),) * 2

    def _given(self, rng: Random) -> tuple[str, str]:
        """A given name, and the form of it that can be written in Latin letters."""
        fake = generator(self.locale.name)
        fake.random = rng
        if self.locale.name == "ja_JP":
            written, _, latin = self.of_sex((fake.first_name_female_pair, fake.first_name_male_pair))()
            return written, latin
        return (self.of_sex((fake.first_name_female, fake.first_name_male))(),) * 2

    def _named(self, field: str, method: str) -> str:
        return self.fake(field, self.of_sex((f"{method}_female", f"{method}_male")))

    def _letters(self, name: str) -> str:
        name = name.lower()
        for letter, written in WRITTEN.get(self.locale.name.partition("_")[0], {}).items():
            name = name.replace(letter, written)
        return re.sub(r"[^a-z]", "", unidecode(name).lower())


def years_before(day: date, years: int) -> date:
    """The same day of the year ``years`` earlier; 28 February for a 29th that the year does not have."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
