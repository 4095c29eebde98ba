"""A private record: a made-up person, what happened to them, and a text that somebody could have written about it.

The fields are those of Privasis (arXiv 2602.03183, section 3), with exact places of each attribute beside them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from lib.common import jsonl
from lib.common.errors import DoppelError

Category = Literal["profile", "event", "text"]


class Place(NamedTuple):
    """Where a value stands in a text, in code points from 0; ``end`` is behind its last character."""

    start: int
    end: int


@dataclass(frozen=True)
class Attribute:
    """Something that a text tells of a person.

    Attributes:
        name: unlike that of any other attribute of the record: ``blood_type``.
        value: as the profile or the event has it; each place holds it, or a part of it, letter by letter.
        category: from the profile, from an event, or found in the text alone.
        direct: whether it names or reaches the person by itself (a name, an address, a number).
        places: where the text tells it, from left to right; never empty in a record that is written.
        label: the name of a slot, ``EMAIL`` (`lib.private_records.fields.slots`); of a first and last name side by
            side, which are one attribute, ``FIRSTNAME``; "" for an attribute that is told in plain words.
    """

    name: str
    value: str
    category: Category
    direct: bool
    places: tuple[Place, ...] = ()
    label: str = ""


@dataclass(frozen=True)
class Group:
    """Attributes that belong together; an attribute may be in several groups.

    Attributes:
        title: ``health``.
        names: of attributes of the record, at least one, without repeats.
    """

    title: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """Something that happened to the person.

    Attributes:
        title: a line of the list of events.
        attributes: name -> value.
    """

    title: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Profile:
    """The person.

    Attributes:
        seed: what was drawn, or came from a user's file: column -> value.
        attributes: name -> value, the seed's among them.
        events: at least one.
        attr_to_share: the attribute that the record is about, of the event that its situation names.
    """

    seed: dict[str, str]
    attributes: dict[str, str]
    events: tuple[Event, ...]
    attr_to_share: str = ""


@dataclass(frozen=True)
class Situation:
    """Who writes what to whom. Type and context belong to one event, the one at ``event``.

    Attributes:
        record_type: ``discharge letter``.
        formal: whether it is of the formal types.
        context: in a sentence or two.
        format: how the text is laid out.
        event: position of the event in the profile, from 0.
    """

    record_type: str
    formal: bool
    context: str
    format: str
    event: int = 0


@dataclass(frozen=True)
class Round:
    """A revision that was judged.

    Attributes:
        text: of the revision.
        preferred: whether the judge liked it better than the text before.
        novelty: gain in Vendi score over that text, in units of the score; negative where diversity falls.
        accepted: whether it took the text's place.
    """

    text: str
    preferred: bool
    novelty: float
    accepted: bool


@dataclass(frozen=True)
class PrivateRecord:
    """A record.

    Attributes:
        id: unlike that of any other: ``record-000017``.
        profile: the person.
        situation: of the text.
        text: what was written.
        slot_text: the same with slots in place of direct attributes; "" where it was not written with slots.
        draft: the first version.
        rounds: the revisions, in order.
        attributes: those that the text tells, in order of their first place.
        groups: of them.
    """

    id: str
    profile: Profile
    situation: Situation
    text: str
    slot_text: str = ""
    draft: str = ""
    rounds: tuple[Round, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True)
class Failed:
    """A record that was not written, or not sanitized.

    Attributes:
        id: of the record.
        step: where it ended: ``draft``.
        reasons: of each try, in two or three words and without any text.
    """

    id: str
    step: str
    reasons: tuple[str, ...] = field(default=())


def write(path: Path, rows: Iterable[PrivateRecord | Failed]) -> None:
    """Write records or failures, one JSON object a line, whole or not at all.

    Args:
        path: the JSONL file.
        rows: to be written.
    """
    jsonl.write(path, map(asdict, rows))


def read(path: Path) -> Iterator[PrivateRecord]:
    """The records that `write` wrote.

    Args:
        path: the JSONL file.

    Raises:
        DoppelError: ``private_records.shape`` with the line, for one that is no record; no text is quoted.
    """
    for where, row in jsonl.read(path):
        try:
            yield record(row)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise DoppelError(
                "private_records.shape",
                "not a private record",
                remedy="name a records.jsonl that 50_private_records wrote",
                where=where,
            ) from None


def read_failed(path: Path) -> list[Failed]:
    """The failures that `write` wrote.

    Args:
        path: the JSONL file.
    """
    return [Failed(row["id"], row["step"], tuple(row["reasons"])) for _, row in jsonl.read(path)]


def record(row: dict) -> PrivateRecord:
    """A record from the object that stands for it in a file.

    Args:
        row: as `write` wrote it.
    """
    profile = row["profile"]
    events = tuple(Event(one["title"], dict(one["attributes"])) for one in profile["events"])
    return PrivateRecord(
        **{
            **row,
            "profile": Profile(**{**profile, "events": events}),
            "situation": Situation(**row["situation"]),
            "rounds": tuple(Round(**one) for one in row["rounds"]),
            "attributes": tuple(_attribute(one) for one in row["attributes"]),
            "groups": tuple(Group(one["title"], tuple(one["names"])) for one in row["groups"]),
        }
    )


def check_places(text: str, attributes: Sequence[Attribute]) -> None:
    """Refuse attributes whose places do not hold them.

    Args:
        text: of the record.
        attributes: of the text.

    Raises:
        DoppelError: ``private_records.places``; it names the attribute, never its value.
    """
    for one in attributes:
        held = [text[place.start : place.end] for place in one.places if 0 <= place.start < place.end <= len(text)]
        if not held or len(held) < len(one.places) or not all(part in one.value for part in held):
            raise DoppelError(
                "private_records.places",
                f"the places of {one.name} do not hold it",
                name=one.name,
                remedy="a record with wrong places is not written; please report it",
            )


def _attribute(row: dict) -> Attribute:
    return Attribute(**{**row, "places": tuple(Place(*place) for place in row["places"])})
