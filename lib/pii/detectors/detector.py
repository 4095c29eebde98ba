"""The interface of a detector, and how the spans of several become disjoint ones."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import Protocol

from lib.pii.spans import Span


class Detector(Protocol):
    """Finds personal data. What it finds in a text depends on that text alone, not on others in the same call.

    Attributes:
        name: short, for tables: ``rules``.
        scheme: of its labels: ``doppel`` for the classes of `lib.pii.classes`, or a coarser column of ``classes.csv``
            (``presidio``, ``ontonotes``, ``tab``).
    """

    name: str
    scheme: str

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """The spans of each text: disjoint, from left to right, in code points; persons are None."""
        ...


def first_come(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans without those that overlap one before them in the list, from left to right.

    Args:
        spans: the surest first.
    """
    kept: list[Span] = []
    for span in spans:
        if not overlapped(span, kept):
            insort(kept, span)
    return tuple(kept)


def united(text: str, found: Iterable[Sequence[Span]]) -> tuple[Span, ...]:
    """The spans of several detectors, disjoint, over every letter and digit that one of them found.

    Where two overlap, the earlier detector's span stays whole, and the later one keeps what lies outside it, without
    the blanks and marks at its ends: of *Dave Jones dave@jones.org*, a PERSON to the second detector, *Dave Jones*
    remains. So no span is spliced into another, and nothing that was found is left in the text.

    Args:
        text: that was searched.
        found: of each detector, the surest first; each disjoint and from left to right.

    Returns:
        From left to right.
    """
    kept: list[Span] = []
    for spans in found:
        free = [piece for span in spans for piece in _outside(text, span, overlapped(span, kept))]
        kept = sorted(kept + free)
    return tuple(kept)


def overlapped(span: Span, others: Sequence[Span]) -> Sequence[Span]:
    """Those of some spans that overlap one.

    Args:
        span: any.
        others: disjoint, from left to right.
    """
    first = bisect_right(others, span.start, key=lambda other: other.end)
    return others[first : bisect_left(others, span.end, key=lambda other: other.start)]


def _outside(text: str, span: Span, others: Sequence[Span]) -> list[Span]:
    """What of a span lies outside those that overlap it; the span itself where there are none."""
    if not others:
        return [span]
    starts = [span.start, *(other.end for other in others)]
    ends = [*(other.start for other in others), span.end]
    pieces = [_trimmed(text, span, start, end) for start, end in zip(starts, ends, strict=True)]
    return [piece for piece in pieces if piece.value]


def _trimmed(text: str, span: Span, start: int, end: int) -> Span:
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return span._replace(start=start, end=end, value=text[start:end])
