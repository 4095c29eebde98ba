"""What detectors found, as our classes, with a number for each person or thing of a text.

Who a mention means is a guess from the text alone: equal values are one entity, *Jones* is the *Dave Jones* of the same
text, and an e-mail address with a person's name in it is that person's. Other values are counted by class: the second
phone number of a text gets the number 2, whoever it belongs to.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lib.pii import checks
from lib.pii.classes import classes_of
from lib.pii.spans import Span

OWN = "doppel"  # the scheme of `lib.pii.classes`
NAMES = ("FIRSTNAME", "MIDDLENAME", "LASTNAME")
PARTS = ("PREFIX", *NAMES)  # of a mention of a person, in this order
HANDLES = ("EMAIL", "USERNAME")
MOST = 999  # the highest number that a slot can have
LEAST = 3  # letters of a name that a handle must hold to be that person's

# Of labels that several classes share, the class that a value gets; None: it is left, for it is seldom personal.
COARSE: Mapping[str, str | None] = {
    "GPE": "CITY", "LOC": "CITY", "LOCATION": "CITY", "FAC": "STREET", "ORG": "COMPANYNAME", "DATE": "DATE",
    "DATE_TIME": "DATE", "DATETIME": "DATE", "IP_ADDRESS": "IP", "CRYPTO": "BITCOINADDRESS", "CODE": "ACCOUNTNUMBER",
    "DEM": "JOBTITLE", "CARDINAL": None, "MISC": None,
}  # fmt: skip

_WORD = re.compile(r"\S+")
_POSSESSIVE = re.compile(r"['’]s?$")
_SPACES = re.compile(r"[^\S\r\n]*")  # within a line


class _Person(NamedTuple):
    """A person of a text, by the normalised names that are known."""

    first: str
    last: str


def as_classes(span: Span, scheme: str) -> list[Span]:
    """A span of a detector as spans of our classes.

    Args:
        span: as a detector found it.
        scheme: of its label: ``doppel``, ``presidio``, ``ontonotes`` or ``tab``.

    Returns:
        One span; of a person's name in a coarser scheme one for the first word, one for the last, and one for all
        between them; none for a label whose values are left (`COARSE`).

    Raises:
        DoppelError: an unknown scheme, or a label that the scheme has not.
    """
    if scheme == OWN:
        return [span]
    names = classes_of(span.label, scheme)
    if "FIRSTNAME" in names:
        return _named(span)
    label = names[0] if len(names) == 1 else COARSE.get(span.label)
    if span.label == "CRYPTO":
        label = next((name for name in names if checks.check(name, span.value, "en_US")), label)
    return [] if label is None else [span._replace(label=label)]


def numbered(text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """Give each span the number of its person or thing.

    Args:
        text: that the spans are in.
        spans: of our classes, disjoint and from left to right.

    Returns:
        As many, with ``person`` from 1 to `MOST`. A name alone that is the first or the last name of somebody in the
        text gets that class.
    """
    named = _persons(text, spans)
    people = list(dict.fromkeys(named.values()))
    numbers = {start: people.index(person) + 1 for start, person in named.items()}
    for span in spans:
        if span.label in HANDLES and (owner := _owner(span.value, people)):
            numbers[span.start] = owner
    taken: dict[str, dict[str, int]] = defaultdict(dict)
    for span in spans:
        if span.start in numbers and span.label not in NAMES:
            taken[span.label][normalised(span.value)] = numbers[span.start]
    done = []
    for span in spans:
        if span.start not in numbers:
            of_class = taken[span.label]
            free = next(number for number in range(1, len(of_class) + 2) if number not in of_class.values())
            numbers[span.start] = of_class.setdefault(normalised(span.value), free)
        done.append(span._replace(label=_label(span, named.get(span.start)), person=min(numbers[span.start], MOST)))
    return tuple(done)


def normalised(value: str) -> str:
    """A value by its letters and digits alone, in small letters, so that two spellings of a number are one value."""
    return "".join(filter(str.isalnum, value.casefold())) or value


def _named(span: Span) -> list[Span]:
    words = [match.span() for match in _WORD.finditer(_POSSESSIVE.sub("", span.value))]
    parts = [(*words[0], "FIRSTNAME")] if words else []
    if len(words) > 2:
        parts.append((words[1][0], words[-2][1], "MIDDLENAME"))
    if len(words) > 1:
        parts.append((*words[-1], "LASTNAME"))
    return [
        span._replace(start=span.start + low, end=span.start + high, label=label, value=span.value[low:high])
        for low, high, label in parts
    ]


def _persons(text: str, spans: Sequence[Span]) -> dict[int, _Person]:
    """The person of each span that is a part of a name, by the start of the span, in order."""
    mentions = _mentions(text, spans)
    whole: dict[int, _Person] = {}
    for number, mention in enumerate(mentions):
        parts = {span.label: normalised(span.value) for span in mention}
        if "FIRSTNAME" in parts and "LASTNAME" in parts:
            whole[number] = _Person(parts["FIRSTNAME"], parts["LASTNAME"])
    people = list(dict.fromkeys(whole.values()))
    found: dict[int, _Person] = {}
    for number, mention in enumerate(mentions):
        if (person := whole.get(number)) is None:
            name = normalised(next((span.value for span in mention if span.label in NAMES), mention[0].value))
            person = next((other for other in people if name in other), None)
            if person is None:
                last = any(span.label == "LASTNAME" for span in mention)
                person = _Person("", name) if last else _Person(name, "")
                people.append(person)
        found |= {span.start: person for span in mention}
    return found


def _mentions(text: str, spans: Sequence[Span]) -> list[list[Span]]:
    """Parts of names with nothing but spaces between them, each in the order of `PARTS`, are one mention."""
    found: list[list[Span]] = []
    for span in spans:
        if span.label not in PARTS:
            continue
        before = found[-1][-1] if found else None
        follows = before is not None and PARTS.index(before.label) < PARTS.index(span.label)
        if follows and _SPACES.fullmatch(text, before.end, span.start):
            found[-1].append(span)
        else:
            found.append([span])
    return found


def _owner(handle: str, people: Sequence[_Person]) -> int | None:
    """The number of the first person whose first or last name an e-mail address or user name holds."""
    letters = normalised(handle.rpartition("@")[0] or handle)
    for number, person in enumerate(people, 1):
        if any(len(name) >= LEAST and name in letters for name in person):
            return number
    return None


def _label(span: Span, person: _Person | None) -> str:
    if person is None or span.label not in ("FIRSTNAME", "LASTNAME"):
        return span.label
    return "LASTNAME" if normalised(span.value) == person.last else "FIRSTNAME"
