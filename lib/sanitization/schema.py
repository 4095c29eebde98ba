"""A record without what it should not tell, with all that led to it: targets, places, strategies, instructions.

The fields are those of Privasis (arXiv 2602.03183, section 4), with exact places in place of quoted passages.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from lib.common import jsonl
from lib.common.errors import DoppelError
from lib.private_records.schema import Attribute, Place

Action = Literal["abstract", "drop"]


class Chunk(NamedTuple):
    """A piece of a text that is rewritten by itself: ``text[start:end]``, in code points from 0.

    The chunks of a text follow each other without a gap, so that they make up the text exactly.
    """

    start: int
    end: int


class Edit(NamedTuple):
    """What stands in place of a piece of the original text.

    Attributes:
        start: of the piece in the original, in code points from 0.
        end: behind its last character; equal to ``start`` where something is put in.
        written: in its place; "" where it is taken out.
    """

    start: int
    end: int
    written: str


@dataclass(frozen=True)
class Targets:
    """What is to become of attributes. A name is in at most one of the three lists.

    Attributes:
        abstract: names of attributes that are to be told less exactly, those of ``abstract_groups`` among them.
        drop: names of attributes that are to be taken out, those of ``drop_groups`` among them.
        keep: names of attributes that must still be readable; those in none of the lists may go or stay.
        abstract_groups: titles of groups that were drawn as a whole.
        drop_groups: the same, to be taken out.
    """

    abstract: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    abstract_groups: tuple[str, ...] = ()
    drop_groups: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all attributes that the sanitized text must not tell."""
        return self.abstract + self.drop


@dataclass(frozen=True)
class Strategy:
    """How one attribute is hidden, in all its chunks alike.

    Attributes:
        name: of the attribute.
        action: whether it is told less exactly, or taken out.
        how: in words: ``the year in place of the day``.
        written: what stands for it everywhere: ``in 2019``; "" where the rewriter chooses, or nothing does.
    """

    name: str
    action: Action
    how: str
    written: str = ""


@dataclass(frozen=True)
class Sanitized:
    """A sanitized record. It holds the original's text and values, so it is as private as the original.

    Attributes:
        id: of the original record.
        text: the original.
        sanitized: the text without what it should not tell: ``text`` with ``edits``.
        targets: what was to become of which attribute.
        attributes: all of the original, with values and places in ``text``.
        labels: of the original record: label name -> value.
        chunks: of the original, in order.
        sequences: name of a target -> where the original tells it, from left to right.
        mapping: name of a target -> numbers of its chunks, from 0; a target across two chunks has both.
        strategies: one for each target, in the order of ``targets.names``.
        edits: from left to right, disjoint.
        instruction: what was to be done, in plain words and in one form.
        natural_instruction: the same as a person might ask for it.
        lost_passages: how many passages a model named that the original does not have.
    """

    id: str
    text: str
    sanitized: str
    targets: Targets = field(default_factory=Targets)
    attributes: tuple[Attribute, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    chunks: tuple[Chunk, ...] = ()
    sequences: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    mapping: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    strategies: tuple[Strategy, ...] = ()
    edits: tuple[Edit, ...] = ()
    instruction: str = ""
    natural_instruction: str = ""
    lost_passages: int = 0

    def __repr__(self) -> str:  # the original may be private
        return f"Sanitized(<{len(self.text):,} characters>, {len(self.targets.names)} targets)"

    def named(self, names: Iterable[str]) -> tuple[Attribute, ...]:
        """The attributes with these names.

        Args:
            names: of attributes of the record.
        """
        by_name = {one.name: one for one in self.attributes}
        return tuple(by_name[name] for name in names)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """A text with its edits.

    Args:
        text: the original.
        edits: from left to right, disjoint.

    Raises:
        DoppelError: ``sanitization.edits``: they overlap, or lie outside the text.
    """
    pieces, done = [], 0
    for edit in edits:
        if not done <= edit.start <= edit.end <= len(text):
            raise DoppelError(
                "sanitization.edits",
                f"an edit from {edit.start} to {edit.end} overlaps another one or lies outside the text",
                value=edit.start,
                remedy="please report it",
            )
        pieces += [text[done : edit.start], edit.written]
        done = edit.end
    return "".join(pieces) + text[done:]


def write(path: Path, rows: Iterable[Sanitized]) -> None:
    """Write sanitized records, one JSON object a line, whole or not at all.

    Args:
        path: the JSONL file. It is as private as the original records.
        rows: to be written.
    """
    jsonl.write(path, map(asdict, rows))


def read(path: Path) -> Iterator[Sanitized]:
    """The sanitized records that `write` wrote.

    Args:
        path: the JSONL file.

    Raises:
        DoppelError: ``sanitization.shape`` with the line, for one that is no sanitized record; no text is quoted.
    """
    for where, row in jsonl.read(path):
        try:
            yield sanitized(row)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise DoppelError(
                "sanitization.shape",
                "not a sanitized record",
                remedy="name a sanitized.jsonl that 51_sanitize wrote",
                where=where,
            ) from None


def sanitized(row: dict) -> Sanitized:
    """A record from the object that stands for it in a file.

    Args:
        row: as `write` wrote it.
    """
    return Sanitized(
        **{
            **row,
            "targets": Targets(**{name: tuple(names) for name, names in row["targets"].items()}),
            "attributes": tuple(Attribute(**{**one, "places": _places(one["places"])}) for one in row["attributes"]),
            "chunks": tuple(Chunk(*one) for one in row["chunks"]),
            "sequences": {name: _places(places) for name, places in row["sequences"].items()},
            "mapping": {name: tuple(numbers) for name, numbers in row["mapping"].items()},
            "strategies": tuple(Strategy(**one) for one in row["strategies"]),
            "edits": tuple(Edit(*one) for one in row["edits"]),
        }
    )


def _places(places: Sequence[Sequence[int]]) -> tuple[Place, ...]:
    return tuple(Place(*place) for place in places)
