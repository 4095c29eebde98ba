"""Values written into slots, and where they came to stand.

**Offsets are in code points**, as Python's strings count them: ``text[start:end]`` is the value. They are neither bytes
of UTF-8 nor units of UTF-16, in which an emoji counts 4 and 2. A text is written from left to right and each span is
recorded while its value is written. Nothing is searched for afterwards, so the first name *Alex* is never found
inside *Alexandria*, nor the person *July* in the month.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from lib.common.errors import DoppelError
from lib.pii.slots import PLAIN, Brackets, Parsed, Slot, check_characters, parse

Value = Callable[[str, int], str]  # class name, person -> what is written

_SPACES = re.compile(r"[^\S\r\n]*")  # within a line

PROBLEMS = {  # kind -> what is wrong; `problems` reports these and no others
    "outside": "the span is empty, or not inside the text",
    "value": "the text between start and end is not the value",
    "order": "the span begins before the one before it",
    "overlap": "the span begins inside the one before it",
    "unresolved": "a slot, or a bracket that looks like one, is left in the text",
}


class Span(NamedTuple):
    """A value in a text.

    Attributes:
        start: its first character, in code points from 0.
        end: behind its last character.
        label: its class, ``EMAIL``.
        value: what stands there.
        person: the entity that it belongs to, from 1, the same for every mention of that person in a text: *John
            Smith*, *Johnny* and *@jsmith*. The numbers say who is who, so they are as secret as the values. None where
            a file does not say.
    """

    start: int
    end: int
    label: str
    value: str
    person: int | None = None


class Filled(NamedTuple):
    """A text with values.

    Attributes:
        text: all of it.
        spans: where the values are, from left to right, disjoint.
    """

    text: str
    spans: tuple[Span, ...]


class Problem(NamedTuple):
    """Something that is wrong with a filled text. Neither text nor value is in it.

    Attributes:
        kind: a key of `PROBLEMS`.
        start: its place in code points; for a span, as the span says.
        end: behind it.
        span: the number of the span from 0; None for what is outside all spans.
    """

    kind: str
    start: int
    end: int
    span: int | None = None


def fill(parsed: Parsed, value: Value) -> Filled:
    """Write a value into each slot.

    Args:
        parsed: by `lib.pii.slots.parse`, without faults.
        value: called with class name and person, once for each slot from left to right. What it returns may hold
            brackets, line breaks and other values.

    Returns:
        Text and spans; `unfill` gives ``parsed.text`` back, and `problems` finds nothing.

    Raises:
        DoppelError: ``pii.slots_unresolved`` for a text with faults; ``pii.value`` for a value that is empty, no string
            or begins or ends with white space, of which no tokenizer says whether it belongs to a span;
            ``pii.half_surrogate_pair``. Neither text nor value is quoted.
    """
    if parsed.faults:
        kinds = sorted({fault.kind for fault in parsed.faults})
        raise DoppelError(
            "pii.slots_unresolved",
            f"{len(parsed.faults)} brackets are neither slots nor text: {', '.join(kinds)}",
            name=kinds[0],
            value=len(parsed.faults),
            remedy="draw the text again, or add what they mean to the table of brackets",
        )
    written: list[str] = []
    spans: list[Span] = []
    length = 0
    for piece in parsed.pieces:
        if isinstance(piece, Slot):
            text = _value(piece, value(*piece))
            spans.append(Span(length, length + len(text), piece.name, text, piece.person))
        else:
            text = piece
        written.append(text)
        length += len(text)
    return Filled("".join(written), tuple(spans))


def unfill(filled: Filled) -> str:
    """The text with slots that a filled text was made from, or would be.

    Args:
        filled: with spans in order, disjoint and inside the text.

    Returns:
        The text in which each span is its slot. A span whose person is not known becomes the bare class, ``[EMAIL]``.
    """
    pieces: list[str] = []
    done = 0
    for span in filled.spans:
        pieces += [filled.text[done : span.start], str(Slot(span.label, span.person or 1))]
        done = span.end
    return "".join(pieces) + filled.text[done:]


def relabel(filled: Filled, labels: Mapping[str, str | None], joined: Collection[str] = ()) -> Filled:
    """The same text with the classes of another scheme, in which a name may be one span and not two.

    Args:
        filled: with spans in order and disjoint.
        labels: each class -> its name there; None, where that scheme has none, leaves the span out.
        joined: names there of which neighbours become one span: *Dave* and *Jones*, a PERSON each, are one *Dave
            Jones*. They must be the same person's and have nothing between them but spaces within a line; two phone
            numbers on two lines stay two.

    Raises:
        DoppelError: ``pii.label_unmapped`` for a class that is not listed.
    """
    spans: list[Span] = []
    for span in filled.spans:
        if span.label not in labels:
            raise DoppelError(
                "pii.label_unmapped",
                f"{span.label} has no name in the other scheme",
                name=span.label,
                remedy="name it, or map it to null to leave it out",
            )
        if (label := labels[span.label]) is None:
            continue
        last = spans[-1] if spans else None
        if (
            last
            and last.label == label in joined
            and last.person == span.person is not None
            and _SPACES.fullmatch(filled.text, last.end, span.start)
        ):
            spans[-1] = last._replace(end=span.end, value=filled.text[last.start : span.end])
        else:
            spans.append(span._replace(label=label))
    return Filled(filled.text, tuple(spans))


def problems(filled: Filled, known: Collection[str], brackets: Brackets = PLAIN) -> list[Problem]:
    """All that is wrong with a filled text, whoever made it.

    What a value holds is never taken for a slot; only the text between spans is.

    Args:
        filled: to be checked; offsets in code points.
        known: the class names that may stand in slots.
        brackets: the table that the slot text was parsed with.

    Returns:
        In order of the spans, unresolved slots last; empty for what `fill` returns.
    """
    found: list[Problem] = []
    done = 0  # the end of all spans so far
    before = 0  # the start of the last one
    gaps: list[tuple[int, int]] = []
    for number, (start, end, _, value, _) in enumerate(filled.spans):
        if not 0 <= start < end <= len(filled.text):
            found.append(Problem("outside", start, end, number))
            continue
        if filled.text[start:end] != value:
            found.append(Problem("value", start, end, number))
        if start < before:
            found.append(Problem("order", start, end, number))
        elif start < done:
            found.append(Problem("overlap", start, end, number))
        if done < start:
            gaps.append((done, start))
        before, done = start, max(done, end)
    for start, end in (*gaps, (done, len(filled.text))):
        found += _unresolved(filled.text[start:end], start, known, brackets)
    return found


def _unresolved(text: str, start: int, known: Collection[str], brackets: Brackets) -> list[Problem]:
    """Slots and faults in a text between two spans that begins at ``start``."""
    if "[" not in text and "]" not in text:
        return []
    parsed = parse(text, known, brackets)
    places = sorted([*parsed.places, *((fault.start, fault.end) for fault in parsed.faults)])
    return [Problem("unresolved", start + low, start + high) for low, high in places]


def _value(slot: Slot, value: object) -> str:
    if not isinstance(value, str) or not value or value != value.strip():
        raise DoppelError(
            "pii.value",
            f"the value of {slot.name} is empty, not text, or has white space around it",
            name=slot.name,
            remedy="return text without white space at its ends",
        )
    check_characters(value)
    return value
