"""Labels and borders of spans under one convention, so that sets and detectors with different ones can be compared.

Presidio's names are the common ones, by the table of `lib.pii.classes`. Three things are the same for the labelled
spans and for those of every detector:

- what has no common name, or stands in one of the two sets alone, is left out;
- characters that are *set aside*, because their class is not one of ours (a country, a nationality), are taken out of
  every span: whoever finds them is neither right nor wrong;
- parts of one thing become one span: first and last name, with an initial between them; street, city and postal code
  with commas, line breaks or quotation marks of mail (``>``) between them; a date and the time behind it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from lib.common.errors import DoppelError, nearest
from lib.pii.checking.foreign import fields
from lib.pii.classes import classes_of, mapping
from lib.pii.spans import Filled, Span

SCHEMES = ("doppel", "presidio", "ontonotes", "tab")
FOREIGN = "presidio-evaluator"  # the scheme of `lib.pii.checking.foreign`: labels are fields of its templates
NO_NAMES: Mapping[str, str] = {}

_GAPS = {  # common name -> what may stand between two of its spans that are one
    "PERSON": re.compile(r"[^\S\r\n]*(?:\w\.?[^\S\r\n]+)?"),
    "LOCATION": re.compile(r"\.?[\s,>?]*"),
    "DATE_TIME": re.compile(r"[^\S\r\n]*,?[^\S\r\n]*"),
}
_EDGES = " \t\r\n,>"  # taken off the ends of what is left of a span
_LONGEST_GAP = 12  # characters; more is no longer one thing


class Place(NamedTuple):
    """A span under the common convention.

    Attributes:
        start: its first character, in code points.
        end: behind its last character.
        label: Presidio's name.
    """

    start: int
    end: int
    label: str


class Translation(NamedTuple):
    """The labels of a set or a detector in common names.

    Attributes:
        names: label -> Presidio's name; None: it has none, and its spans are left out.
        aside: labels whose characters are set aside.
    """

    names: Mapping[str, str | None]
    aside: frozenset[str] = frozenset()


def translation(scheme: str, labels: Iterable[str], given: Mapping[str, str] = NO_NAMES) -> Translation:
    """The common names of some labels.

    Args:
        scheme: one of `SCHEMES`, or `FOREIGN`. A coarser label has the name that more than half of our classes with
            that label have: OntoNotes' CARDINAL, which may be a house, a phone or a PIN, has none.
        labels: of the set or the detector.
        given: common names of labels that the table does not know: ``{"GPE": "LOCATION"}``.

    Returns:
        Of all ``labels``. Those that are no class of ours are set aside, in `FOREIGN` and in sets of the user.

    Raises:
        DoppelError: ``pii.unknown_scheme``, or ``pii.unknown_common_name`` in ``given``.
    """
    known = set(mapping("presidio").values()) - {None}
    for name in given.values():
        if name not in known:
            raise DoppelError(
                "pii.unknown_common_name",
                f"{name!r} is no name of Presidio's for one of our classes",
                name="labels",
                value=name,
                remedy=nearest(name, known),
            )
    names: dict[str, str | None] = {}
    aside = set()
    for label in labels:
        ours = _ours(scheme, label)
        if label in given:
            names[label] = given[label]
        else:
            names[label] = _most([mapping("presidio")[name] for name in ours])
            aside |= {label} if not ours else set()
    return Translation(names, frozenset(aside))


def _ours(scheme: str, label: str) -> tuple[str, ...]:
    """Our classes that a label stands for."""
    if scheme == FOREIGN:
        return fields()[label].classes
    if scheme == "doppel":
        return (label,) if label in mapping("presidio") else ()
    if scheme not in SCHEMES:
        raise DoppelError(
            "pii.unknown_scheme",
            f"no label set is called {scheme!r}",
            name="scheme",
            value=scheme,
            remedy=nearest(scheme, SCHEMES),
        )
    return classes_of(label, scheme) if label in mapping(scheme).values() else ()


def _most(names: Sequence[str | None]) -> str | None:
    """The name that more than half of a list are."""
    return next((name for name in set(names) if 2 * names.count(name) > len(names)), None)


def aside(filled: Filled, labels: Translation) -> list[tuple[int, int]]:
    """Start and end of the characters of a text that are set aside, in order.

    Args:
        filled: with spans in order and disjoint.
        labels: of its set.
    """
    return [span[:2] for span in filled.spans if span.label in labels.aside]


def places(
    text: str, spans: Sequence[Span], labels: Translation, kept: Collection[str], left_out: Sequence[tuple[int, int]]
) -> list[Place]:
    """Spans under the common convention.

    Args:
        text: that they are in.
        spans: in order and disjoint.
        labels: of their set or detector.
        kept: common names that are looked at.
        left_out: characters that are set aside, of the *labelled* text, from `aside`.

    Returns:
        In order and disjoint.
    """
    found: list[Place] = []
    for span in spans:
        label = labels.names.get(span.label)
        if label not in kept or span.label in labels.aside:
            continue
        for start, end in outside(span.start, span.end, left_out):
            piece = text[start:end]
            start, end = end - len(piece.lstrip(_EDGES)), start + len(piece.rstrip(_EDGES))
            if start >= end:
                continue
            last = found[-1] if found else None
            if last and last.label == label and _one(text, last.end, start, label, left_out):
                found[-1] = last._replace(end=end)
            else:
                found.append(Place(start, end, label))
    return found


def outside(start: int, end: int, others: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What of a span lies outside others.

    Args:
        start: of the span.
        end: behind it.
        others: in order and disjoint.
    """
    pieces = []
    for low, high in others:
        if low < end and high > start:
            pieces.append((start, low))
            start = high
    return [(low, high) for low, high in [*pieces, (start, end)] if low < high]


def _one(text: str, start: int, end: int, label: str, left_out: Sequence[tuple[int, int]]) -> bool:
    """Whether what stands between two spans of a label makes them one."""
    gap = _GAPS.get(label)
    within = any(low < end and high > start for low, high in left_out)
    return gap is not None and end - start <= _LONGEST_GAP and not within and bool(gap.fullmatch(text, start, end))
