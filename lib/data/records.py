"""Records: pieces of text with their labels, kept as JSONL, a line each."""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from lib.common import jsonl
from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.data.private_text import PrivateText
from lib.data.spelling import listed, outside_hint, spelled

Domain = Mapping[str, Sequence[str] | str]  # label name -> its values, or CATALOGUE
CATALOGUE = "catalogue"  # in a label domain: the values come from a public catalogue
NAME_USERS = "name the column, columns: {user: COLUMN}, give every record a user, or set unit: record"
MAX_CHARACTERS = 1_000_000  # a longer text is a broken file, not a record


@dataclass(frozen=True, slots=True)
class Record:
    """A piece of text.

    Attributes:
        id: different for every record of a corpus. It names the record, and nothing is computed from it.
        text: the private text.
        labels: label name -> value.
        user: who wrote it; None where that is not known, and the record counts as a user of its own.
    """

    id: str
    text: PrivateText
    labels: Mapping[str, str]
    user: str | None = None

    def __repr__(self) -> str:  # id, labels and user may be private too
        return f"Record({self.text!r}, {len(self.labels)} labels)"

    @property
    def owner(self) -> str:
        """The user, or a name for the record itself where no user is known."""
        return self.user if self.user is not None else f"record {self.id}"

    @property
    def content(self) -> str:
        """User, text and labels as one string, for hashes and comparisons: all of the record but its id. Private."""
        return json.dumps([self.user, self.text.reveal(), sorted(self.labels.items())])

    def as_json(self) -> dict:
        """The line of JSONL, with the private text in it."""
        line = {"id": self.id, "text": self.text.reveal(), "labels": dict(self.labels)}
        return line if self.user is None else line | {"user": self.user}


def from_json(line: dict[str, Any], where: str) -> Record:
    """Check a decoded line and make it a record.

    Args:
        line: ``{"id", "text", "labels": {name: value}, "user"?}``.
        where: file and line, put before every message.

    Raises:
        DoppelError: for a missing or unknown key, a value of another type, half a surrogate pair, and a text of more
            than `MAX_CHARACTERS`. No value is quoted.
    """
    for key, required in (("id", str), ("text", str), ("labels", dict)):
        if not isinstance(line.get(key), required):
            given = type(line[key]).__name__ if key in line else "nothing"
            sentence = f"{key!r} must be {required.__name__}, found {given}"
            remedy = "write it as {NAME: VALUE}" if required is dict else "write it, or map a column, as text"
            raise DoppelError("data.field_type", sentence, name=key, value=given, remedy=remedy, where=where)
    if unknown := set(line) - {"id", "text", "labels", "user"}:
        sentence = f"{len(unknown)} unknown keys; a record has id, text, labels and user"
        raise DoppelError("data.unknown_keys", sentence, value=len(unknown), remedy="remove them", where=where)
    if not all(isinstance(value, str) for value in line["labels"].values()):
        sentence, remedy = "every label value must be a string", "write '4' for a rating of 4"
        raise DoppelError("data.label_type", sentence, name="labels", remedy=remedy, where=where)
    if not isinstance(line.get("user"), str | None):
        given = type(line["user"]).__name__
        sentence = f"'user' must be a string or absent, found {given}"
        remedy = "write it as text"
        raise DoppelError("data.field_type", sentence, name="user", value=given, remedy=remedy, where=where)
    if any("\ud800" <= c <= "\udfff" for value in _strings(line) for c in value):
        sentence, remedy = "half a surrogate pair, which is not a character", "write the file again as UTF-8"
        raise DoppelError("data.half_surrogate_pair", sentence, remedy=remedy, where=where)
    if (length := len(line["text"])) > MAX_CHARACTERS:
        sentence = f"the text has {length:,} characters, at most {MAX_CHARACTERS:,} are read"
        raise DoppelError("data.text_too_long", sentence, name="text", value=length, remedy="split it", where=where)
    return Record(line["id"], PrivateText(line["text"]), line["labels"], line.get("user"))


def _strings(line: Mapping) -> list[str]:
    return [line["id"], line["text"], line.get("user") or "", *line["labels"], *line["labels"].values()]


class Ids:
    """The ids of rows, to find one that occurs twice: 24 bytes a row, a hash of 128 bits and the row's number."""

    def __init__(self) -> None:
        self._hashes, self._numbers, self._place = array("Q"), array("Q"), ""

    def add(self, id: str, where: str) -> None:
        """Take the next ``id``, which stands at ``where``: file and number, ``PATH, line 3``."""
        self._place, _, number = where.rpartition(" ")
        self._hashes.frombytes(hashlib.blake2b(id.encode(errors="surrogatepass"), digest_size=16).digest())
        self._numbers.append(int(number))

    def check(self) -> None:
        """Refuse the first id that an earlier row has.

        Raises:
            DoppelError: there is one; with the places of both.
        """
        import numpy as np  # here: who only writes records does without

        halves = np.array(self._hashes).reshape(-1, 2)
        order = np.lexsort(halves.T)  # rows with one id stand side by side, in their order
        again = np.flatnonzero((halves[order[1:]] == halves[order[:-1]]).all(axis=1))
        if len(again):
            place = min(again, key=lambda place: order[place + 1])
            earlier, later = (self._numbers[row] for row in order[place : place + 2])
            kind = self._place.rpartition(" ")[2]
            sentence, where = f"the id of {kind} {earlier} again", f"{self._place} {later}"
            raise DoppelError("data.duplicate_id", sentence, name="id", remedy="let ids differ", where=where)


def scan(path: Path) -> Iterator[Record]:
    """The checked records of the JSONL file ``path``, one by one.

    Raises:
        DoppelError: for a missing file, and with file and line number for the first bad line; behind the last line, for
            an id that occurs twice.
    """
    if not path.is_file():
        raise DoppelError(
            "data.no_file", "no such file", name=path.name, remedy="run the stage that writes it", where=str(path)
        )
    ids = Ids()
    for where, line in jsonl.read(path):
        record = from_json(line, where)
        ids.add(record.id, where)
        yield record
    ids.check()


def read(path: Path) -> list[Record]:
    """All records of the JSONL file ``path``; raises DoppelError as `scan` does."""
    return list(scan(path))


def write(path: Path, records: Iterable[Record]) -> None:
    """Write ``records``, private text included, to ``path`` as JSONL, whole or not at all."""
    write_atomic(path, _lines(records))


def digest(records: Iterable[Record]) -> str:
    """sha256 of ``records`` as `write` writes them, in hex digits. Private: it confirms a guess."""
    made = hashlib.sha256()
    for line in _lines(records):
        made.update(line.encode())
    return made.hexdigest()


def _lines(records: Iterable[Record]) -> Iterator[str]:
    return (json.dumps(record.as_json(), ensure_ascii=False) + "\n" for record in records)


def owner_count(records: Iterable[Record]) -> int:
    """How many users wrote ``records``; one without a user counts as a user of its own."""
    users, unknown = set(), 0
    for record in records:
        users.add(record.user)
        unknown += record.user is None
    return len(users - {None}) + unknown


def owner_numbers(records: Sequence[Record]) -> list[int]:
    """The user of each of ``records`` as a number from 0 to the number of users - 1. Private."""
    numbers = {owner: number for number, owner in enumerate(sorted({record.owner for record in records}))}
    return [numbers[record.owner] for record in records]


def fit_labels(records: Iterable[Record], domain: Domain) -> Iterator[Record]:
    """The records with each label value as the domain declares it: ``'1.0'`` where that is declared and a cell has 1.

    Args:
        records: with labels as their source spells them.
        domain: as in `check_labels`; a value that fits none of those declared is kept.
    """
    declared = {
        name: {spelled(value): value for value in values} for name, values in domain.items() if values != CATALOGUE
    }

    @cache
    def fitted(name: str, value: str) -> str:
        return declared[name].get(spelled(value), value) if name in declared else value

    for record in records:
        yield replace(record, labels={name: fitted(name, value) for name, value in record.labels.items()})


def check_labels(records: Sequence[Record], domain: Domain) -> None:
    """Refuse labels outside the declared domain. The value stays hidden, since a label can be private.

    Args:
        records: the records to check.
        domain: label name -> list of its values, or `CATALOGUE`: any value of a public catalogue (product titles,
            say), which is not checked.

    Raises:
        DoppelError: for the first record that has other labels than those declared, or a value that is not listed.
    """
    declared = {name: set(values) for name, values in domain.items() if values != CATALOGUE}
    for number, record in enumerate(records, 1):
        if set(record.labels) != set(domain):
            raise DoppelError(
                "data.labels_differ",
                f"record {number}: has labels {listed(sorted(record.labels))}, the domain declares "
                f"{', '.join(sorted(domain)) or 'none'}",
                name="label_domain",
                value=sorted(domain),
                remedy="name the same labels in both, label_domain and (for a file of your own) "
                "columns: {labels.NAME: COLUMN}",
            )
        for name, values in declared.items():
            if record.labels[name] not in values:
                hint = outside_hint({r.labels[name] for r in records if name in r.labels} - values, values)
                raise DoppelError(
                    "data.label_outside_domain",
                    f"record {number}: its label {name!r} (value hidden) is outside the declared domain "
                    f"{sorted(values)[:12]}",
                    name=name,
                    remedy=f"{hint}add the value to label_domain, or map it in the source",
                )


def check_bound(max_records_per_user: int | None, unit: str) -> None:
    """Refuse a bound for users with ``unit: record``: one record more would push out another one of its user.

    Args:
        max_records_per_user: the bound; None: there is none.
        unit: ``record`` or ``user``, the unit of the guarantee.
    """
    if max_records_per_user is not None and unit == "record":
        raise DoppelError(
            "data.bound_by_record",
            f"max_records_per_user = {max_records_per_user} with unit: record: one record more could push out another",
            name="max_records_per_user",
            value=max_records_per_user,
            remedy="set unit: user, whose guarantee covers all records of a user, or max_records_per_user: null",
        )


def check_users(records: Sequence[Record], unit: str) -> None:
    """Refuse ``unit: user`` where a record has no user: it would count as a user of its own, whoever wrote it.

    Args:
        records: the records to check.
        unit: ``record`` or ``user``, the unit of the guarantee.
    """
    unnamed = sum(record.user is None for record in records)
    if unit == "user" and unnamed:
        raise DoppelError(
            "data.user_missing",
            f"unit: user, but {unnamed:,} of {len(records):,} records name no user",
            name="unit",
            value=unit,
            remedy=NAME_USERS,
        )
