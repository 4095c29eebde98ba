"""What a set of private records is written as: texts, labelled texts, a table, and counts for the figures."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.data.tokenize import count
from lib.pii.exports.examples import Example
from lib.private_records import slot_text
from lib.private_records.schema import Failed, PrivateRecord
from lib.private_records.task import Task

LANGUAGE = "en"
NO_TYPE = "none"  # the label of a record that was asked for no type

_TEXTS = pa.map_(pa.string(), pa.string())
_PLACES = pa.list_(pa.struct({"start": pa.int64(), "end": pa.int64()}))
_EVENT = pa.struct({"title": pa.string(), "attributes": _TEXTS})
_PROFILE = {"seed": _TEXTS, "attributes": _TEXTS, "events": pa.list_(_EVENT), "attr_to_share": pa.string()}
_SITUATION = {
    "record_type": pa.string(), "formal": pa.bool_(), "context": pa.string(), "format": pa.string(),
    "event": pa.int64(),
}  # fmt: skip
_ROUND = {"text": pa.string(), "preferred": pa.bool_(), "novelty": pa.float64(), "accepted": pa.bool_()}
_ATTRIBUTE = {
    "name": pa.string(), "value": pa.string(), "category": pa.string(), "direct": pa.bool_(), "places": _PLACES,
    "label": pa.string(),
}  # fmt: skip
_GROUP = {"title": pa.string(), "names": pa.list_(pa.string())}
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "profile": pa.struct(_PROFILE),
        "situation": pa.struct(_SITUATION),
        "text": pa.string(),
        "slot_text": pa.string(),
        "draft": pa.string(),
        "rounds": pa.list_(pa.struct(_ROUND)),
        "attributes": pa.list_(pa.struct(_ATTRIBUTE)),
        "groups": pa.list_(pa.struct(_GROUP)),
    }
)


def as_arm(records: Iterable[PrivateRecord]) -> Iterator[Record]:
    """The texts as every arm writes them, with the labels ``record_type`` and ``formal``.

    Args:
        records: of the set.
    """
    for one in records:
        labels = {
            "record_type": one.situation.record_type or NO_TYPE,
            "formal": "yes" if one.situation.formal else "no",
        }
        yield Record(one.id, PrivateText(one.text), labels)


def labelled(records: Iterable[PrivateRecord], tasks: Iterable[Task]) -> Iterator[Example]:
    """The texts with the spans of their slots; what is told in plain words beside them has no span.

    Args:
        records: of the set.
        tasks: that they were written for, among others.
    """
    by_id = {task.id: task for task in tasks}
    for one in records:
        yield Example(one.id, LANGUAGE, slot_text.filled(one.slot_text, by_id[one.id]))


def write_parquet(path: Path, records: Sequence[PrivateRecord]) -> None:
    """Write the records as a table, whole or not at all; a mapping is a column of keys and values.

    Args:
        path: the Parquet file.
        records: of the set.
    """
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([_row(asdict(one)) for one in records], SCHEMA), buffer)
    write_atomic(path, buffer.getvalue())


def _row(record: dict) -> dict:
    profile = record["profile"]
    events = [event | {"attributes": _pairs(event["attributes"])} for event in profile["events"]]
    mappings = {name: _pairs(profile[name]) for name in ("seed", "attributes")}
    places = [
        one | {"places": [{"start": start, "end": end} for start, end in one["places"]]} for one in record["attributes"]
    ]
    return record | {"profile": profile | mappings | {"events": events}, "attributes": places}


def _pairs(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(values.items())


def marked(record: PrivateRecord) -> tuple[str, list[tuple[int, int, str]]]:
    """The text, and start, end and name of each attribute in it; names that share a place are joined.

    Args:
        record: whose attributes have places that are equal or disjoint.
    """
    names: dict[tuple[int, int], list[str]] = {}
    for one in record.attributes:
        for place in one.places:
            names.setdefault(tuple(place), []).append(one.name)
    return record.text, [(start, end, ", ".join(told)) for (start, end), told in sorted(names.items())]


def faults(records: Iterable[PrivateRecord], tasks: Iterable[Task]) -> dict[str, int]:
    """What is wrong with a set; all counts are 0 for what this stage writes.

    Args:
        records: of the set.
        tasks: that they were written for, among others.

    Returns:
        How many places of attributes do not hold their value, and how many texts differ from their slots with values.
    """
    by_id, places, texts = {task.id: task for task in tasks}, 0, 0
    for record in records:
        told = [(place, one.value) for one in record.attributes for place in one.places]
        places += sum(record.text[place.start : place.end] != value for place, value in told)
        texts += slot_text.filled(record.slot_text, by_id[record.id]).text != record.text
    return {"places that do not hold their value": places, "texts that differ from their slots": texts}


def require(counted: Mapping[str, int]) -> None:
    """Refuse to go on with a set that has faults.

    Args:
        counted: of `faults`.

    Raises:
        DoppelError: ``private_records.faults``.
    """
    if any(counted.values()):
        told = ", ".join(f"{count:,} {name}" for name, count in counted.items() if count)
        raise DoppelError(
            "private_records.faults",
            told,
            value=sum(counted.values()),
            remedy="a set with faults is not written; please report it",
        )


def failures(failed: Iterable[Failed]) -> list[dict[str, object]]:
    """Rows of a table: step, reasons, and how many records ended so, the most frequent first.

    Args:
        failed: of the set.
    """
    told = Counter((one.step, ", ".join(one.reasons)) for one in failed)
    return [{"step": step, "reasons": reasons, "records": count} for (step, reasons), count in told.most_common()]


def by_category(records: Iterable[PrivateRecord]) -> dict[str, int]:
    """How many attributes the texts tell, by category; direct ones by themselves.

    Args:
        records: of the set.
    """
    told = Counter("direct" if one.direct else one.category for record in records for one in record.attributes)
    return {name: told[name] for name in ("direct", "profile", "event", "text")}


def accepted_by_round(records: Sequence[PrivateRecord]) -> list[tuple[int, int]]:
    """Of each round of revision: how many revisions were accepted, and how many there were.

    Args:
        records: of the set.
    """
    rounds = zip(*(record.rounds for record in records), strict=True)
    return [(sum(one.accepted for one in of_round), len(of_round)) for of_round in rounds]


def word_counts(records: Iterable[PrivateRecord]) -> list[int]:
    """Length of each text in words.

    Args:
        records: of the set.
    """
    return [count(record.text) for record in records]
