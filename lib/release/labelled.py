"""The labelled texts of a pack: each is the record of its line, and each span holds the value that it states.

Light: `verify` imports it. The columns are those of `lib.pii.exports.ai4privacy`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from lib.common import jsonl
from lib.common.errors import Reason
from lib.data.records import Record


def wrong(path: Path, records: Sequence[Record]) -> Iterator[Reason]:
    """What the labelled file of a pack has that its records do not, or the other way round.

    Args:
        path: of the file.
        records: of the pack.

    Yields:
        a reason where lines and records differ, and where spans are not in order, disjoint and at their values.
    """
    rows = [row for _, row in jsonl.read(path)]
    told = [(row.get("id"), row.get("source_text")) for row in rows]
    if told != [(record.id, record.text.reveal()) for record in records]:
        yield Reason("release.labels_of_others", f"{path.name} does not hold the texts of records.jsonl")
    elif not all(_fits(row["source_text"], row.get("privacy_mask")) for row in rows):
        yield Reason("release.labels_wrong", f"{path.name} has a span whose place does not hold its value")


def _fits(text: str, spans: object) -> bool:
    done = 0
    for span in spans if isinstance(spans, list) else [None]:
        if not isinstance(span, dict):
            return False
        start, end = span.get("start"), span.get("end")
        if type(start) is not int or type(end) is not int or not done <= start < end <= len(text):
            return False
        if text[start:end] != span.get("value") or not isinstance(span.get("label"), str):
            return False
        done = end
    return True
