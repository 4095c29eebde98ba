"""What a labelled set comes to: whether it is right, and which classes it has."""

from collections import Counter
from collections.abc import Sequence

from lib.common.errors import DoppelError
from lib.pii import checks
from lib.pii.classes import classes
from lib.pii.slots import PLAIN, Brackets
from lib.pii.spans import PROBLEMS, Filled, problems
from lib.pii.writing.rows import Row


def faults(texts: Sequence[Filled], brackets: Brackets = PLAIN) -> dict[str, int]:
    """How many problems of each kind a set has: all are 0 in one that may be used.

    Args:
        texts: filled texts.
        brackets: the table that they were parsed with.

    Returns:
        A count for each key of `lib.pii.spans.PROBLEMS`.
    """
    found = Counter(problem.kind for text in texts for problem in problems(text, classes(), brackets))
    return {kind: found[kind] for kind in PROBLEMS}


def require(found: dict[str, int]) -> None:
    """Refuse a set with a problem.

    Args:
        found: of `faults`.

    Raises:
        DoppelError: ``pii.labels_wrong``; it says which kinds, and no text.
    """
    if wrong := {kind: count for kind, count in found.items() if count}:
        raise DoppelError(
            "pii.labels_wrong",
            ", ".join(f"{count:,} times: {PROBLEMS[kind]}" for kind, count in wrong.items()),
            value=wrong,
            remedy="a set with wrong labels is not written; please report it",
        )


def frequencies(texts: Sequence[Filled]) -> dict[str, int]:
    """How many spans each class has, the most frequent first; classes without one are 0."""
    found = Counter(span.label for text in texts for span in text.spans)
    return dict(sorted(((name, found[name]) for name in classes()), key=lambda item: -item[1]))


def validity(rows: Sequence[Row], locale: str = "en_US") -> dict[str, tuple[int, int]]:
    """How many values an independent library accepts.

    Args:
        rows: of the set.
        locale: of rows whose labels name none.

    Returns:
        Of each class that can be checked: values that pass, values that were checked.
    """
    found: dict[str, list[bool]] = {}
    for row in rows:
        for span in row.filled.spans:
            passes = checks.check(span.label, span.value, row.labels.get("locale", locale))
            if passes is not None:
                found.setdefault(span.label, []).append(passes)
    return {name: (sum(passed), len(passed)) for name, passed in sorted(found.items())}
