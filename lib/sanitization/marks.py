"""What is coloured in a record before and after it is sanitized, for made-up people only."""

from lib.sanitization.leaks import Searched, direct, mentions
from lib.sanitization.schema import Sanitized

Mark = tuple[int, int, str]  # start, end, label


def before(record: Sanitized) -> list[Mark]:
    """Where the original tells its targets, and what was to be kept; of places that overlap the longest.

    Args:
        record: of a made-up person.

    Returns:
        From left to right, disjoint; a label is an action and a name: ``drop blood_type``.
    """
    targets = record.targets
    actions = (("abstract", targets.abstract), ("drop", targets.drop), ("keep", targets.keep))
    marks = [
        (*place, f"{action} {one.name}")
        for action, names in actions
        for one in record.named(names)
        for place in one.places
    ]
    return _disjoint(marks)


def after(record: Sanitized) -> list[Mark]:
    """Where the sanitized text still tells a target (``leak``), or what was kept, and what was written anew.

    Args:
        record: of a made-up person.

    Returns:
        As for `before`.
    """
    searched = Searched(record.sanitized)
    sides = (("leak", record.targets.names), ("keep", record.targets.keep))
    told = [
        (*place, f"{label} {one.name}")
        for label, names in sides
        for one in record.named(names)
        for place in direct(mentions(one, record.text), searched)
    ]
    written, moved = [], 0
    for edit in record.edits:
        start = edit.start + moved
        if edit.written.strip():
            written.append((start, start + len(edit.written), "new"))
        moved += len(edit.written) - (edit.end - edit.start)
    return _disjoint(_disjoint(told) + written, longest_first=False)


def _disjoint(marks: list[Mark], *, longest_first: bool = True) -> list[Mark]:
    """The longest first, or as they come; without those that overlap an earlier one."""
    if longest_first:
        marks = sorted(marks, key=lambda mark: (mark[0] - mark[1], mark))
    kept: list[Mark] = []
    for mark in marks:
        if all(mark[1] <= other[0] or other[1] <= mark[0] for other in kept):
            kept.append(mark)
    return sorted(kept)
