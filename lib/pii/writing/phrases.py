"""Phrases of a grammar: text with alternatives, references and words that agree with a person.

In a phrase, square brackets are slots (`lib.pii.slots`), and braces are drawn or looked up:

    {Hello|Hi|}     one of several, any of which may be empty or hold braces
    {greeting}      a phrase of that list, none twice in a text while there are others
    {!speaker}      the same, drawn once: it reads alike wherever it stands in a text
    {details*0-2}   none to two of that list, in the list's order
    {1:he/she}      by the sex of person 1: the first for a man
    {a}, {A}        "a" or "an", by the sound of what follows, be it a value: {a} [AGE]-year-old
    {#AA-999}       random capitals for A and digits for 9: numbers of things, which are no personal data
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from string import ascii_uppercase
from typing import NamedTuple

from lib.common.errors import DoppelError
from lib.pii.slots import Slot, parse
from lib.pii.values import Values

SEPARATORS = {"form": "\n", "asks": "\n"}  # between several phrases of a list; a blank for all others

_SEX = re.compile(r"([1-9]):([^/|{}]*)/([^/|{}]*)")
_LIST = re.compile(r"(!?)([a-z_]+)(?:\*([0-9]+)-([0-9]+))?")
_ARTICLE = re.compile(r"\{([aA])\}\s+(?=(\[[A-Z][A-Z0-9]*(?:_[0-9]+)?\])|(\w+))")
_VOWEL = re.compile(r"[aeiou]|8|(?:11|18)(?!\d)", re.IGNORECASE)
_CONSONANT = re.compile(r"uni(?![nm])|eu|use|one\b", re.IGNORECASE)  # begin with a vowel, and not with its sound


class Choice(NamedTuple):
    """One of several phrases."""

    options: tuple["Phrase", ...]


class Listed(NamedTuple):
    """``least`` to ``most`` phrases of the list ``name``; with ``once``, those that it gave first in the text."""

    name: str
    once: bool = False
    least: int = 1
    most: int = 1


class BySex(NamedTuple):
    """A word by the sex of a person."""

    person: int
    male: str
    female: str


class Number(NamedTuple):
    """Random capitals and digits."""

    pattern: str


Part = str | Choice | Listed | BySex | Number
Phrase = tuple[Part, ...]


def read(source: str, where: str) -> Phrase:
    """Read a phrase.

    Args:
        source: as the module says.
        where: file and list, for the refusal.

    Raises:
        DoppelError: ``pii.phrase``: braces that do not close, or hold none of the forms above.
    """
    phrase, end = _read(source, 0, where, nested=False)
    if end != len(source):
        raise _wrong(source, end, where)
    return tuple(phrase)


def references(phrase: Phrase) -> Iterator[str]:
    """The names of the lists that a phrase refers to."""
    for part in phrase:
        if isinstance(part, Listed):
            yield part.name
        elif isinstance(part, Choice):
            for option in part.options:
                yield from references(option)


def _read(source: str, start: int, where: str, *, nested: bool) -> tuple[list[Part], int]:
    """The parts from ``start`` on, and the place behind them: of the end, or of a ``|`` or ``}`` where nested."""
    parts: list[Part] = []
    text = start
    at = start
    while at < len(source) and not (nested and source[at] in "|}"):
        if source[at] == "}":
            raise _wrong(source, at, where)
        if source[at] != "{":
            at += 1
            continue
        if text < at:
            parts.append(source[text:at])
        part, at = _braces(source, at, where)
        parts.append(part)
        text = at
    if text < at:
        parts.append(source[text:at])
    return parts, at


def _braces(source: str, start: int, where: str) -> tuple[Part, int]:
    options: list[Phrase] = []
    at = start
    while True:
        parts, at = _read(source, at + 1, where, nested=True)
        if at == len(source):
            raise _wrong(source, start, where)
        options.append(tuple(parts))
        if source[at] == "}":
            break
    return Choice(tuple(options)) if len(options) > 1 else _single(source, start, at, where), at + 1


def _single(source: str, start: int, end: int, where: str) -> Part:
    """What braces without alternatives hold."""
    inside = source[start + 1 : end]
    if inside in ("a", "A"):
        return f"{{{inside}}}"
    if inside.startswith("#") and len(inside) > 1 and "{" not in inside:
        return Number(inside[1:])
    if sex := _SEX.fullmatch(inside):
        return BySex(int(sex[1]), sex[2], sex[3])
    if listed := _LIST.fullmatch(inside):
        least, most = int(listed[3] or 1), int(listed[4] or 1)
        if least <= most:
            return Listed(listed[2], bool(listed[1]), least, most)
    raise _wrong(source, start, where)


def _wrong(source: str, at: int, where: str) -> DoppelError:
    return DoppelError(
        "pii.phrase",
        f"the brace at character {at + 1} of {source[:60]!r} begins or ends nothing that is known",
        value=at,
        remedy="see lib/pii/writing/phrases.py for what braces may hold",
        where=where,
    )


class Writer:
    """Draws one text.

    Args:
        lists: the phrases of each list. Of a list whose phrases are pairs (``asks``), the pair is put into the list
            ``exchange`` as its lists ``question`` and ``answer``.
        pairs: the pairs of ``asks``.
        rng: all draws of the text, in order.
        values: of the text, asked for the sex of persons and for the first letter behind an article.
    """

    def __init__(
        self,
        lists: Mapping[str, Sequence[Phrase]],
        pairs: Sequence[tuple[Phrase, Phrase]],
        rng: Random,
        values: Values,
    ):
        self._lists, self._pairs, self._rng, self._values = dict(lists), pairs, rng, values
        self._unused: dict[str, list[int]] = {}
        self._once: dict[str, str] = {}

    def write(self, phrase: Phrase) -> str:
        """The text of a phrase, with its slots and without braces; lines end without blanks, none is empty twice."""
        drawn = _ARTICLE.sub(self._article, self._draw(phrase))
        lines = (re.sub(r"[ \t]+", " ", line).strip() for line in drawn.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def _draw(self, phrase: Phrase) -> str:
        return "".join(part if isinstance(part, str) else self._part(part) for part in phrase)

    def _part(self, part: Part) -> str:
        match part:
            case Choice(options):
                return self._draw(self._rng.choice(options))
            case BySex(person, male, female):
                return female if self._values.person(person).female else male
            case Number(pattern):
                return "".join(self._mark(mark) for mark in pattern)
            case Listed(name, True):
                if name not in self._once:
                    self._once[name] = self._several(part)
                return self._once[name]
        return self._several(part)

    def _several(self, part: Listed) -> str:
        count = self._rng.randint(part.least, part.most)
        if part.name == "asks":
            written = [self._exchange(*self._pairs[i]) for i in self._pick("asks", count, len(self._pairs))]
        else:
            phrases = self._lists[part.name]
            written = [self._draw(phrases[i]) for i in self._pick(part.name, count, len(phrases))]
        return SEPARATORS.get(part.name, " ").join(written)

    def _exchange(self, question: Phrase, answer: Phrase) -> str:
        self._lists |= {"question": [question], "answer": [answer]}
        return self._draw(self._lists["exchange"][0])

    def _pick(self, name: str, count: int, size: int) -> list[int]:
        """Places in a list of ``size``, in its order; none twice in a text while there are others."""
        picked: list[int] = []
        for _ in range(min(count, size)):
            unused = self._unused.setdefault(name, [])
            if not unused:
                unused += self._rng.sample(range(size), size)
            picked.append(unused.pop())
        return sorted(picked)

    def _mark(self, mark: str) -> str:
        if mark == "9":
            return str(self._rng.randrange(10))
        return self._rng.choice(ascii_uppercase) if mark == "A" else mark

    def _article(self, match: re.Match) -> str:
        slot, word = match[2], match[3]
        if slot:
            (found,) = parse(slot, {slot[1:-1].partition("_")[0]}).slots
            word = self._values.value(*Slot(*found))
        sounds = _VOWEL.match(word) is not None and _CONSONANT.match(word) is None
        return f"{match[1]}n " if sounds else f"{match[1]} "
