"""A record on its way to a sanitized one: what every step looks at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from lib.data.hash_order import rank
from lib.private_records.schema import Attribute, Group, Place
from lib.sanitization import told
from lib.sanitization.leaks import Searched, direct
from lib.sanitization.schema import Chunk, Targets


@dataclass(frozen=True)
class Original:
    """A record that is to be sanitized. Its text may be private.

    Attributes:
        id: unlike that of any other record of the set.
        text: any.
        labels: label name -> value; they say what the person is called (``the patient``).
        attributes: that the text tells, with exact places; empty where they are still to be found.
        groups: of them.
    """

    id: str
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    attributes: tuple[Attribute, ...] = ()
    groups: tuple[Group, ...] = ()

    def __repr__(self) -> str:
        return f"Original(<{len(self.text):,} characters>, {len(self.attributes)} attributes)"


@dataclass(frozen=True)
class Case:
    """A record with its attributes.

    Attributes:
        original: with at least one attribute.
        seed: of all draws of the stage; those of a record depend on its id as well.
        targets: what is to become of the attributes; empty before they are drawn.
        chunks: of the text.
    """

    original: Original
    seed: int
    targets: Targets = field(default_factory=Targets)
    chunks: tuple[Chunk, ...] = ()

    def rng(self, purpose: str) -> Random:
        """The random stream of a purpose, from its start.

        Args:
            purpose: what is drawn, unlike any other draw of the record.
        """
        return Random(rank(self.seed, f"sanitization.{purpose}", self.original.id))

    def named(self, names: Iterable[str]) -> tuple[Attribute, ...]:
        """The attributes with these names.

        Args:
            names: of attributes of the record.
        """
        by_name = {one.name: one for one in self.original.attributes}
        return tuple(by_name[name] for name in names)

    @cached_property
    def at(self) -> dict[str, tuple[Place, ...]]:
        """Where the text tells each attribute, see `lib.sanitization.told.places`."""
        return told.places(Searched(self.original.text), self.original.attributes)

    @cached_property
    def tied(self) -> dict[str, frozenset[str]]:
        """Which attributes cannot be treated apart, see `lib.sanitization.told.conflicts`."""
        return told.conflicts(self.original.attributes, self.at)

    def still_told(self, text: str, names: Iterable[str]) -> tuple[str, ...]:
        """Which of some attributes a rewritten text still tells, letter by letter in any writing.

        Args:
            text: sanitized, or a part of it.
            names: of attributes of the record.
        """
        searched = Searched(text)
        found = ((one, told.values(one, self.original.text)) for one in self.named(names))
        return tuple(one.name for one, values in found if direct(values, searched))


def unique(attributes: Sequence[Attribute]) -> tuple[Attribute, ...]:
    """Attributes that a text tells, with different names: of two with one name the first stays.

    Args:
        attributes: of a record; those without a place are dropped.
    """
    by_name: dict[str, Attribute] = {}
    for one in attributes:
        if one.places:
            by_name.setdefault(one.name, one)
    return tuple(by_name.values())
