"""A record that is to be written: its person, and the random streams of its draws."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from lib.data.hash_order import rank
from lib.pii.values import Values
from lib.private_records.fields import DRAWN, fields


@dataclass(frozen=True)
class Task:
    """What is known of a record before anything is written.

    Attributes:
        id: of the record: ``record-000017``.
        seed: of all its draws; it follows from the stage's seed and the id, so that no record depends on another.
        person: the person's seed, whole: column -> value (`lib.private_records.seeds.COLUMNS`).
        known: field -> value of the person: the seed's (but for the date, which is as the country writes it, and a
            disability that is none), ``ethnicity``, ``citizenship``, and every field of ``fields.csv``.
        values: of further persons and things, and of classes that no field has.
    """

    id: str
    seed: int
    person: Mapping[str, str]
    known: Mapping[str, str]
    values: Values

    def rng(self, purpose: str) -> Random:
        """The random stream of a purpose, from its start.

        Args:
            purpose: what is drawn, unlike any other draw of the record: ``draft``, ``revise.1``.
        """
        return Random(rank(self.seed, "private_records", purpose))

    def value(self, slot: str, person: int) -> str:
        """What is written into a slot.

        Args:
            slot: a name of `lib.private_records.fields.slots`: ``EMAIL``.
            person: its number, from 1; 1 is the person of the record.
        """
        if person == 1 and slot in fields():
            return self.known[fields()[slot].name]
        if slot in DRAWN:
            return DRAWN[slot](self.values.person(person))
        return self.values.value(slot, person)
