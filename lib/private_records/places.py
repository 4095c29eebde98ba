"""Where a text tells its attributes: those of slots by construction, others looked for letter by letter."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from lib.pii.classes import classes
from lib.pii.spans import Filled, Span
from lib.private_records.fields import fields
from lib.private_records.schema import Attribute, Place

LONGEST = 200  # characters of a value; a longer one is a passage, not an attribute
FULL_NAME = "full_name"
_SPACE = re.compile(r"[^\S\r\n]+")  # between first and last name, within a line


def of_slots(filled: Filled) -> tuple[Attribute, ...]:
    """The attributes that stand in slots, in order of their first place.

    The first and last name of one person with spaces between them are one attribute, ``full_name``, there; a name that
    stands alone elsewhere is another. So no two of these attributes share a character, and a full name is told only
    where the text has it.

    Args:
        filled: a text whose slots have their values.
    """
    spans = list(_names_joined(filled))
    by_owner: dict[tuple[str, str, int | None], list[Place]] = {}
    for name, span in spans:
        by_owner.setdefault((name, span.label, span.person), []).append(Place(span.start, span.end))
    return tuple(_attribute(filled, *owner, tuple(places)) for owner, places in by_owner.items())


def located(filled: Filled, named: Sequence[Attribute]) -> tuple[tuple[Attribute, ...], int]:
    """The attributes of a text: those of its slots, and those of an annotator that it holds.

    An annotator's value counts wherever it stands between word borders, letter by letter, but inside neither a slot's
    value nor the place of a longer value. Two attributes with one value share its places.

    Args:
        filled: a text whose slots have their values.
        named: what an annotator says that the text tells, without places.

    Returns:
        The attributes with their places, in order of the first one and with different names; and how many of
        ``named`` were dropped: those that the text does not hold, and values without a letter or digit, of several
        lines or of more than `LONGEST` characters.
    """
    slots = of_slots(filled)
    taken = [Place(span.start, span.end) for span in filled.spans]
    names = {one.name for one in slots}
    kept: list[Attribute] = []
    dropped = 0
    named = [replace(one, value=one.value.strip()) for one in named]
    for value, same in groupby(sorted(named, key=lambda one: (-len(one.value), one.value)), lambda one: one.value):
        places = tuple(_found(filled.text, value, taken))
        taken += places
        for one in same:
            name = _new_name(one, names) if places else None
            if name is None:
                dropped += 1
            else:
                names.add(name)
                kept.append(replace(one, name=name, places=places))
    return tuple(sorted((*slots, *kept), key=lambda one: one.places)), dropped


def _attribute(filled: Filled, name: str, label: str, person: int | None, places: tuple[Place, ...]) -> Attribute:
    own = person == 1 and (label in fields() or name == FULL_NAME)
    direct = fields()[label].direct if label in fields() else classes()[label].identifier == "DIRECT"
    return Attribute(
        name=name if person == 1 else f"{name}_{person}",
        value=filled.text[places[0].start : places[0].end],
        category="profile" if own else "text",
        direct=direct,
        places=places,
        label=label,
    )


def _names_joined(filled: Filled) -> Iterator[tuple[str, Span]]:
    """The spans with the names of their attributes; first and last name side by side as one."""
    spans, skip = filled.spans, False
    for number, span in enumerate(spans):
        behind = spans[number + 1] if number + 1 < len(spans) else None
        if skip:
            skip = False
        elif (
            behind
            and (span.label, behind.label) == ("FIRSTNAME", "LASTNAME")
            and span.person == behind.person
            and _SPACE.fullmatch(filled.text, span.end, behind.start)
        ):
            skip = True
            yield FULL_NAME, span._replace(end=behind.end)
        else:
            yield fields()[span.label].name if span.label in fields() else span.label.lower(), span


def _found(text: str, value: str, taken: Sequence[Place]) -> Iterator[Place]:
    """Where a value stands between word borders, and outside the places that are taken."""
    if len(value) > LONGEST or "\n" in value or not any(map(str.isalnum, value)):
        return
    before, behind = (r"\b" if re.match(r"\w", side) else "" for side in (value[0], value[-1]))
    for match in re.finditer(f"{before}{re.escape(value)}{behind}", text):
        place = Place(*match.span())
        if all(place.end <= other.start or other.end <= place.start for other in taken):
            yield place


def _new_name(one: Attribute, names: set[str]) -> str | None:
    """A name that no attribute has yet: its own, or that with its category before it."""
    own = "_".join(one.name.split()) or "attribute"
    return next((name for name in (own, f"{one.category}_{own}") if name not in names), None)
