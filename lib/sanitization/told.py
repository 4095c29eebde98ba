"""Where a record tells its attributes: at the places that are known, and wherever else the value stands."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from lib.data.tokenize import words as words_of
from lib.pii.entities import NAMES
from lib.private_records.schema import Attribute, Place
from lib.sanitization.leaks import Searched, direct, mentions

LEAST = 4  # letters of a name that an address or a handle must hold to be that person's
SMALL = frozenset(  # words that two values may share
    re.findall(
        r"\w+",
        "a an the of in on at to for from by with and or but is was are were be been it its his her their my our your"
        " this that these those no not as after before during since into over under near",
    )
)

_ADDRESS = re.compile(
    r"[^\s<>()\[\]\"',;]{0,300}@[^\s<>()\[\]\"',;]{0,300}\w|(?:https?://|www\.)[^\s<>()\[\]\"',;]{0,2000}[\w/]"
)


def values(attribute: Attribute, text: str) -> tuple[str, ...]:
    """What must not stand in a text that is not to tell an attribute: how the original tells it; of a name each word.

    Args:
        attribute: with places in the text.
        text: the original.
    """
    told = mentions(attribute, text)
    parts = [word for value in told for word in value.split()] if attribute.label in NAMES else []
    return tuple(dict.fromkeys([*told, *(part for part in parts if len(part.strip(".")) > 1)]))


def places(searched: Searched, attributes: Sequence[Attribute]) -> dict[str, tuple[Place, ...]]:
    """Where a text tells attributes.

    Args:
        searched: the text.
        attributes: of it, each with places.

    Returns:
        Name -> places from left to right, disjoint: those of the attribute, those of its values in any writing, and
        addresses and handles with its name in them.
    """
    addresses = [(Place(*match.span()), _letters(match[0])) for match in _ADDRESS.finditer(searched.text)]
    found: dict[str, tuple[Place, ...]] = {}
    for one in attributes:
        told = values(one, searched.text)
        at = set(one.places)
        if one.label in NAMES:
            parts = {_letters(part) for value in told for part in value.split()}
            at |= {place for place, letters in addresses if any(len(p) >= LEAST and p in letters for p in parts)}
        sure = joined(at)
        at |= {place for place in direct(told, searched) if not touches(place, sure)}
        found[one.name] = joined(at)
    return found


def words(value: str) -> frozenset[str]:
    """The words of a value that say something, case-folded.

    Args:
        value: any text.
    """
    return frozenset(words_of(value)) - SMALL


def conflicts(attributes: Sequence[Attribute], at: Mapping[str, Sequence[Place]]) -> dict[str, frozenset[str]]:
    """Which attributes cannot be treated apart: they share a word, or a place in the text.

    Args:
        attributes: of a record.
        at: their places, see `places`.

    Returns:
        Name -> names of all others that it is tied to.
    """
    tied: dict[str, set[str]] = {one.name: set() for one in attributes}
    sharing: dict[str, set[str]] = {}
    for one in attributes:
        for word in words(one.value):
            sharing.setdefault(word, set()).add(one.name)
    open: list[tuple[Place, str]] = []
    for place, name in sorted((place, of) for of in tied for place in at[of]):
        open = [(other, of) for other, of in open if other.end > place.start]
        for _, of in open:
            tied[of].add(name)
            tied[name].add(of)
        open.append((place, name))
    for names in sharing.values():
        for name in names:
            tied[name] |= names
    return {name: frozenset(others - {name}) for name, others in tied.items()}


def touches(place: Place, others: Sequence[Place]) -> bool:
    """Whether a place shares a character with any of others.

    Args:
        place: in a text.
        others: in the same text, from left to right and disjoint.
    """
    behind = bisect_left(others, (place.end,))
    return behind > 0 and others[behind - 1].end > place.start


def joined(some: Iterable[Place]) -> tuple[Place, ...]:
    """Places from left to right; those that overlap are one.

    Args:
        some: of one text.
    """
    found: list[Place] = []
    for place in sorted(some):
        if found and place.start < found[-1].end:
            found[-1] = Place(found[-1].start, max(found[-1].end, place.end))
        else:
            found.append(place)
    return tuple(found)


def _letters(value: str) -> str:
    return "".join(filter(str.isalnum, value.casefold()))
