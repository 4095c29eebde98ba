"""Text with slots: in ``Write to [EMAIL_2]`` the slot stands for the e-mail of person 2, ``[EMAIL]`` for person 1's.

A slot is a class name in capitals between single square brackets, with the number of a person from 2 on behind an
underscore; ``[EMAIL_1]`` is read as ``[EMAIL]``. Models write much else in brackets. What is surely text stays text:
``[sic]`` and other words that a `Brackets` table lists, ``[T]he``, ``[1, 2]``, ``[...]``, ``[ ]``, the text of a
Markdown link. Everything else is a fault, told by its kind and place, so that a text with ``[Your Name]`` or ``[3:00
PM]`` is never taken for a finished one. A table may also map such names to classes, where that is asked for.

There is no way to write ``[EMAIL]`` as text: in a filled text nobody could tell it from a slot that was forgotten.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lib.common.errors import DoppelError, nearest
from lib.stage import strict_yaml

FAULTS = {  # kind -> what it is; the parser reports these and no others
    "unresolved": "a placeholder of another form, [Your Name] or [3:00 PM]",
    "unknown": "capitals that are not a class, [FAVOURITECOLOUR]",
    "person": "a class with a number that no person has, [EMAIL_0], [EMAIL_01] or one above 999",
    "lower_case": "a class in small letters, [email]",
    "spaced": "a class with white space, [ EMAIL ] or [First Name]",
    "nested": "a slot within brackets, [[EMAIL]] or [call [EMAIL] now]",
    "link": "a slot as the text of a Markdown link, [EMAIL](...)",
    "unclosed": "a bracket that does not end on its line, [EMAIL_2 or [EMA",
    "unopened": "a class before a closing bracket alone, EMAIL]",
}

_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z][A-Z0-9]*)*")
_PERSON = re.compile("[1-9][0-9]{0,2}")
_SLOT = re.compile(f"({_NAME.pattern})(?:_({_PERSON.pattern}))?")
_BRACKET = re.compile(r"\[([^\[\]\r\n]*)(\]?)|\]")
_TAIL = re.compile(rf"({_NAME.pattern})(?:_[0-9]+)?")
_TAIL_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_TAIL_LENGTH = 64  # characters before a closing bracket that are looked at: longer than any class name
_CITATION = re.compile(r"\^?[0-9]{1,3}(?:\s*[,;–-]\s*[0-9]{1,3})*")  # [1], [1, 2], [3-5], a footnote [^1]
_SEPARATORS = re.compile(r"[\s_-]+")


class Slot(NamedTuple):
    """A place for a value.

    Attributes:
        name: of a class, ``EMAIL``.
        person: whose value it is, from 1 to 999.
    """

    name: str
    person: int = 1

    def __str__(self) -> str:
        return f"[{self.name}]" if self.person == 1 else f"[{self.name}_{self.person}]"


class Fault(NamedTuple):
    """A bracket that is neither a slot nor surely text. The text itself is left out: it may be private.

    Attributes:
        kind: a key of `FAULTS`.
        start: first character, in code points of the parsed text from 0.
        end: behind the last character.
    """

    kind: str
    start: int
    end: int


class Parsed(NamedTuple):
    """A text split at its slots.

    Attributes:
        pieces: in order, text as strings (never empty, never two in a row) and slots. Text with faults is among them.
        faults: in order of their places.
        places: start and end in the parsed text of each bracket that is a slot, or that an alias turned into slots.
        mapped: how many of them an alias turned into slots.
    """

    pieces: tuple[str | Slot, ...]
    faults: tuple[Fault, ...] = ()
    places: tuple[tuple[int, int], ...] = ()
    mapped: int = 0

    @property
    def text(self) -> str:
        """The text with its slots, each spelled in the one way; equal to what was parsed unless an alias was mapped."""
        return "".join(map(str, self.pieces))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots, in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Slot))


class Brackets(NamedTuple):
    """What other brackets mean. Keys are folded: small letters, single spaces; see `read_brackets`.

    Attributes:
        aliases: a name as models write it -> the classes that it stands for.
        literals: words that are text.
    """

    aliases: Mapping[str, tuple[str, ...]] = {}
    literals: frozenset[str] = frozenset({"sic"})


PLAIN = Brackets()  # no aliases


def parse(text: str, known: Collection[str], brackets: Brackets = PLAIN) -> Parsed:
    """Split a text at its slots, in time proportional to its length.

    Args:
        text: as a model, a template or a person wrote it.
        known: the class names that may stand in slots, ``EMAIL``.
        brackets: aliases that are to be mapped, and words in brackets that are text.

    Returns:
        The pieces, and the faults in ``text``. Do not fill a text with faults: `lib.pii.spans.fill` refuses it.

    Raises:
        DoppelError: ``pii.half_surrogate_pair``, or ``pii.class_name`` for a known name that no slot can have.
    """
    check_characters(text)
    names = _checked(frozenset(known))
    pieces: list[str | Slot] = []
    faults: list[Fault] = []
    places: list[tuple[int, int]] = []
    mapped = done = 0  # all before `done` is in pieces
    outer = None  # where brackets around the next one began
    for match in _BRACKET.finditer(text):
        start, end = match.span()
        content, closed = match[1], bool(match[2])
        if content is None:  # a closing bracket alone
            if pieces and start == done:  # behind a slot
                faults.append(Fault("nested", start, end))
            elif (name_start := _ending(text, start, names)) is not None:
                faults.append(Fault("unopened", name_start, end))
            continue
        if not closed:
            if text.startswith("[", end):
                if not content.strip():
                    outer = start if outer is None else outer
                    continue
                if any(map(str.isalnum, content)):
                    faults.append(Fault("nested", start, end))
            elif content[:1].isalnum() or any(word in names for word in content.split()[:1]):
                faults.append(Fault("unclosed", start, end))
            outer = None
            continue
        slots, alias = _slots(content, names, brackets)
        linked = text.startswith("(", end)
        kind = None if slots else _kind(content, names, brackets, linked)
        if slots and outer is not None:
            kind, start, end = "nested", outer, end + text.startswith("]", end)
        elif slots and linked:
            kind = "link"
        outer = None
        if kind:
            faults.append(Fault(kind, start, end))
        elif slots:
            if done < start:
                pieces.append(text[done:start])
            places.append((start, end))
            mapped += alias
            for i, slot in enumerate(slots):
                pieces += [" ", slot] if i else [slot]
            done = end
    if done < len(text):
        pieces.append(text[done:])
    return Parsed(tuple(pieces), tuple(faults), tuple(places), mapped)


def read_brackets(path: Path, known: Collection[str]) -> Brackets:
    """Read a table of aliases and of words that are text.

    Args:
        path: a YAML file with ``aliases``, a name as models write it to one or several class names with spaces between
            (``your name: FIRSTNAME LASTNAME``), and ``literals``, a list. Capitals do not count, and an underscore is
            a space; a number behind a name is a person, so ``[Name 2]`` needs no line of its own.
        known: all class names.

    Raises:
        DoppelError: it cannot be read, has another shape, names an unknown class, or says two things of one name.
    """
    table = strict_yaml.read(path, str(path))
    if not isinstance(table, dict) or table.keys() - {"aliases", "literals"}:
        raise _bad_table(path, "must have the keys aliases and literals alone", None)
    aliases, literals = table.get("aliases") or {}, table.get("literals") or []
    if not isinstance(aliases, dict) or not isinstance(literals, list):
        raise _bad_table(path, "aliases is a mapping, literals a list", None)
    classes: dict[str, tuple[str, ...]] = {}
    for name, value in aliases.items():
        names = tuple(value.split()) if isinstance(value, str) else ()
        if not names:
            raise _bad_table(path, f"{name!r} must have class names", name)
        for unknown in set(names) - set(known):
            raise _bad_table(path, f"{name!r}: no class is called {unknown}", name, nearest(unknown, known))
        if classes.setdefault(_folded(str(name)), names) != names:
            raise _bad_table(path, f"{name!r} stands for two things", name, "keep one of the spellings")
    words = frozenset(_folded(str(word)) for word in literals)
    for name in words & classes.keys():
        raise _bad_table(path, f"{name!r} is an alias and text", name, "keep it in one of the lists")
    return Brackets(classes, words)


def is_class_name(name: str) -> bool:
    """Whether a slot can have this name: capitals and digits, underscores before capitals, at most 32 characters.

    Args:
        name: any text.
    """
    return len(name) <= _TAIL_LENGTH // 2 and _NAME.fullmatch(name) is not None


def check_characters(text: str) -> None:
    """Refuse half a surrogate pair, which is not a character and cannot be written as UTF-8.

    Args:
        text: any text. It is not quoted.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DoppelError(
            "pii.half_surrogate_pair",
            f"half a surrogate pair at character {error.start:,}, which is not a character",
            value=error.start,
            remedy="read or write the text again as UTF-8",
        ) from None


def _slots(content: str, known: frozenset[str], brackets: Brackets) -> tuple[list[Slot], bool]:
    """What a closed bracket stands for, empty where it is no slot; and whether an alias said so."""
    match = _SLOT.fullmatch(content)
    if match and match[1] in known:
        return [Slot(match[1], int(match[2] or 1))], False
    folded = _folded(content)
    stem = folded.rstrip("0123456789")
    number = folded[len(stem) :] or "1"
    names = brackets.aliases.get(folded) or brackets.aliases.get(stem.rstrip(" #-"), ())
    person = 1 if folded in brackets.aliases else int(number) if _PERSON.fullmatch(number) else 0
    return [Slot(name, person) for name in names] if person and known.issuperset(names) else [], True


def _kind(content: str, known: frozenset[str], brackets: Brackets, linked: bool) -> str | None:
    """The fault of a closed bracket that is no slot; None where it is text."""
    if len(content) < 2 or _folded(content) in brackets.literals or _CITATION.fullmatch(content):
        return None
    head, underscore, number = content.rpartition("_")
    if underscore and head in known and number.isdecimal():
        return "person"
    if _SLOT.fullmatch(content):
        return "unknown"
    squeezed = _SEPARATORS.sub("", content).upper()
    if squeezed in known or squeezed.rstrip("0123456789") in known:
        spaced = any(map(str.isspace, content))
        return "spaced" if spaced else "lower_case" if content != content.upper() else "unknown"
    if linked or not any(map(str.isalnum, content)):
        return None
    return "unresolved"


def _ending(text: str, end: int, known: frozenset[str]) -> int | None:
    """Where the class name begins that a text up to ``end`` ends with; None where it ends otherwise."""
    before = text[max(0, end - _TAIL_LENGTH) : end]
    tail = before[len(before.rstrip(_TAIL_CHARACTERS)) :]
    name = _TAIL.fullmatch(tail)
    return end - len(tail) if name and name[1] in known else None


def _folded(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()


@lru_cache(64)
def _checked(known: frozenset[str]) -> frozenset[str]:
    for name in sorted(known):
        if not is_class_name(name):
            raise DoppelError(
                "pii.class_name",
                f"{name!r} cannot stand in a slot",
                name=name,
                remedy="a class name is capitals and digits, with underscores before capitals, up to 32 characters",
            )
    return known


def _bad_table(path: Path, sentence: str, name: object, remedy: str = "see prompts/pii/brackets.yaml") -> DoppelError:
    return DoppelError(
        "pii.brackets_table", sentence, name=None if name is None else str(name), remedy=remedy, where=str(path)
    )
