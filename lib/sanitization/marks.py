"""What is coloured in a sanitized record's text before and after."""

from lib.sanitization.schema import Sanitized

Marked = tuple[
    str, list[tuple[int, int, str]]
]  # a text and its spans (start, end, label), disjoint, from left to right


def before(record: Sanitized) -> Marked:
    """The original with the places of its targets, each under its name; of places that overlap the first.

    Args:
        record: sanitized.
    """
    found = sorted((*place, name.replace("_", " ")) for name, places in record.sequences.items() for place in places)
    return record.text, _disjoint(found)


def after(record: Sanitized) -> Marked:
    """The sanitized text with all that was written into it, under the names of the targets that stood there.

    Args:
        record: sanitized.
    """
    marks: list[tuple[int, int, str]] = []
    moved = 0
    for start, end, written in record.edits:
        if written.strip():
            names = [
                name.replace("_", " ")
                for name, places in record.sequences.items()
                if any(place.start < end and start < place.end for place in places)
            ]
            marks.append((start + moved, start + moved + len(written), ", ".join(names) or "reworded"))
        moved += len(written) - (end - start)
    return record.sanitized, marks


def _disjoint(marks: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    kept: list[tuple[int, int, str]] = []
    for mark in marks:
        if not kept or mark[0] >= kept[-1][1]:
            kept.append(mark)
    return kept
