"""The fields of a made-up person that stand in a text as slots, so that their places are exact by construction.

``fields.csv`` holds them. Most have the slot of a class of lib/pii; what has none there has a slot of its own.
"""

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lib.pii.classes import classes
from lib.pii.persons import Person

TABLE = Path(__file__).with_name("fields.csv")
BLOOD_TYPES = ("O+", "A+", "B+", "O-", "A-", "AB+", "B-", "AB-")
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


class ProfileField(NamedTuple):
    """A field of a profile that has a slot.

    Attributes:
        name: ``date_of_birth``.
        slot: ``DOB``.
        direct: whether it names or reaches the person by itself.
        title: for people and for models: ``date of birth``.
    """

    name: str
    slot: str
    direct: bool
    title: str


@cache
def fields() -> dict[str, ProfileField]:
    """All fields by slot, in the order of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["slot"]: ProfileField(row["field"], row["slot"], row["direct"] == "yes", row["title"])
            for row in csv.DictReader(file)
        }


@cache
def slots() -> frozenset[str]:
    """The names that may stand in slots: the classes of lib/pii, and those that only this table has."""
    return frozenset(classes()) | frozenset(fields())


DRAWN: dict[str, Callable[[Person], str]] = {  # the slots that lib/pii has no class for
    "PASSPORT": lambda person: _number(person, "passport", 1, 8),
    "DRIVINGLICENCE": lambda person: _number(person, "driving licence", 1, 7),
    "RECORDNUMBER": lambda person: _number(person, "record number", 2, 6),
    "BLOODTYPE": lambda person: person.pick("blood type", BLOOD_TYPES),
}


def _number(person: Person, field: str, letters: int, digits: int) -> str:
    """Letters and digits, made up: ``K04418235``."""
    rng = person.rng(field)
    return "".join([*rng.choices(LETTERS, k=letters), *rng.choices("0123456789", k=digits)])
