"""Records: one piece of text with its labels, one line of JSONL."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.common import jsonl
from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.data.private_text import PrivateText

CATALOGUE = "catalogue"  # in a label domain: the values are those of a public catalogue
NAME_USERS = "name the column, columns: {user: COLUMN}, give every record a user, or set unit: record"
MAX_CHARACTERS = 1_000_000  # a longer text is an accident of the file, not a record


@dataclass(frozen=True, slots=True)
class Record:
    """One piece of text. ``user`` names who wrote it; None when each record is its own user."""

    id: str
    text: PrivateText
    labels: Mapping[str, str]
    user: str | None = None

    def __repr__(self) -> str:  # labels and user may be private too
        return f"Record({self.id!r}, {self.text!r}, {len(self.labels)} labels)"

    @property
    def owner(self) -> str:
        """The user, or the record itself where no user is known."""
        return self.user if self.user is not None else f"record {self.id}"

    def as_json(self) -> dict:
        line = {"id": self.id, "text": self.text.reveal(), "labels": dict(self.labels)}
        return line if self.user is None else line | {"user": self.user}


def from_json(line: dict[str, Any], where: str) -> Record:
    """A checked record from one decoded line; ``where`` (file and line number) opens every error."""
    for key, kind in (("id", str), ("text", str), ("labels", dict)):
        if not isinstance(line.get(key), kind):
            found = type(line[key]).__name__ if key in line else "nothing"
            raise DoppelError(f"{where}: {key!r} must be {kind.__name__}, found {found}")
    if unknown := set(line) - {"id", "text", "labels", "user"}:
        raise DoppelError(f"{where}: {len(unknown)} unknown keys; a record has id, text, labels and user")
    if not all(isinstance(v, str) for v in line["labels"].values()):
        raise DoppelError(f"{where}: every label value must be a string, as '4' for a rating of 4")
    if not isinstance(line.get("user"), str | None):
        raise DoppelError(f"{where}: 'user' must be a string or absent")
    if any("\ud800" <= c <= "\udfff" for value in _strings(line) for c in value):
        raise DoppelError(f"{where}: half a surrogate pair, which is no character; write the file again as UTF-8")
    if len(line["text"]) > MAX_CHARACTERS:
        raise DoppelError(
            f"{where}: the text has {len(line['text']):,} characters, at most {MAX_CHARACTERS:,} are read; split it"
        )
    return Record(line["id"], PrivateText(line["text"]), line["labels"], line.get("user"))


def _strings(line: Mapping) -> list[str]:
    return [line["id"], line["text"], line.get("user") or "", *line["labels"], *line["labels"].values()]


def scan(path: Path) -> Iterator[Record]:
    """The records of a JSONL file one by one, each checked; the first bad line raises with its number."""
    if not path.is_file():
        raise DoppelError(f"{path}: no such file; run the stage that writes it")
    seen: dict[str, str] = {}
    for where, line in jsonl.read(path):
        record = from_json(line, where)
        if record.id in seen:
            raise DoppelError(f"{where}: the id of {seen[record.id]} again; ids must differ")
        seen[record.id] = where.rpartition(", ")[2]
        yield record


def read(path: Path) -> list[Record]:
    """All records of a JSONL file. Raises DoppelError with file and line number at the first bad line."""
    return list(scan(path))


def write(path: Path, records: Iterable[Record]) -> None:
    """Write records as JSONL, whole or not at all."""
    write_atomic(path, "".join(json.dumps(r.as_json(), ensure_ascii=False) + "\n" for r in records))


def owner_numbers(records: Sequence[Record]) -> list[int]:
    """The users of the records, numbered 0 .. n-1. Private."""
    numbers = {owner: number for number, owner in enumerate(sorted({record.owner for record in records}))}
    return [numbers[record.owner] for record in records]


def check_labels(records: Sequence[Record], domain: Mapping[str, Sequence[str] | str]) -> None:
    """Refuse labels outside the declared domain. The value stays hidden: a label can be private.

    ``domain`` maps a label to its list of values, or to ``'catalogue'``: any value of a public
    catalogue (product titles, say), which is not checked one by one.
    """
    listed = {name: set(values) for name, values in domain.items() if values != CATALOGUE}
    for number, record in enumerate(records, 1):
        if set(record.labels) != set(domain):
            raise DoppelError(
                f"record {number}: has labels {sorted(record.labels)}, the domain declares {sorted(domain)}; name the "
                "same labels in both, label_domain and (for a file of your own) columns: {labels.NAME: COLUMN}"
            )
        for name, values in listed.items():
            if record.labels[name] not in values:
                raise DoppelError(
                    f"record {number}: its label {name!r} (value hidden) is outside the declared domain "
                    f"{sorted(values)[:12]}; add the value to label_domain, or map it in the source"
                )


def check_users(records: Sequence[Record], unit: str) -> None:
    """Refuse ``unit: user`` where a record names no user: it would count as a user of its own, whoever wrote it."""
    unnamed = sum(record.user is None for record in records)
    if unit == "user" and unnamed:
        raise DoppelError(f"unit: user, but {unnamed:,} of {len(records):,} records name no user; {NAME_USERS}")
