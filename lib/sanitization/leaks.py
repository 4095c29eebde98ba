"""Direct leaks: a value that still stands in a text, in whatever writing.

Looked for without regard to capitals, accents, wide and narrow forms, look-alike letters, characters that are not seen,
spaces, separators and line breaks, and with: the two words of a name in the other order; an address with *at* and *dot*
spelled out; digits as words, or with a country's code less; a number with other separators or in words; a day or
a time in another form. A value is found between word borders alone, so *Ann* does not stand in *planning*.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

from faker.decode import unidecode

from lib.data.tokenize import has_unspaced
from lib.private_records.schema import Attribute, Place
from lib.sanitization.quantities import as_days, as_number, as_times, days, numbers, times

SHORT = 3  # letters and digits; a shorter value (A+, US) must stand as it is written, capitals and signs too
DIGITS = 5  # a value of so many digits or more may have any separators; a shorter one is looked for as a number
NATIONAL = 7  # digits of a phone number that still reach somebody: those behind a country's or an area's code
_JOINED = ("Mn", "Me", "Cf")  # marks and unseen characters: they part no word
_SPELLED = {"zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
            "seven": "7", "eight": "8", "nine": "9"}  # fmt: skip
_DIGIT_WORDS = re.compile(rf"\b(?:{'|'.join(_SPELLED)})\b", re.IGNORECASE)
_ALIKE = str.maketrans(  # Cyrillic and Greek letters, small or capital, that look like Latin ones
    "аеорсухіѕјһԁӏвкмнтαορνικτυβεζημχ", "aeopcyxisjhdlbkmhtaopviktubezhmx"
)
_AT_DOT = re.compile(r"\b(?:at|dot)\b", re.IGNORECASE)


class Searched:
    """A text that values are looked for in.

    Args:
        text: any.
    """

    def __init__(self, text: str):
        self.text = text

    def places(self, value: str) -> tuple[Place, ...]:
        """Where a value stands, from left to right; empty where it does not.

        Args:
            value: any text; an empty one stands nowhere.
        """
        if not (value := value.strip()):
            return ()
        found = {*self._written(value), *self._as_quantity(value)}
        return tuple(sorted(found))

    def _written(self, value: str) -> Iterator[Place]:
        if (as_number(value) or as_times(value)) and sum(map(str.isdigit, value)) < DIGITS:
            return  # with a point between its digits 4.2 is not 42
        folded = _Folded(value)
        if len(folded.letters) < SHORT and not has_unspaced(value):
            beside = r"[\w+-]" if value[-1] in "+-" else r"\w"
            for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!{beside})", self.text):
                yield Place(*match.span())
            return
        yield from self._folded.find(folded.letters)
        if len(words := value.split()) == 2:
            yield from self._folded.find(_Folded(words[1] + " " + words[0]).letters)
        if (folded.letters.isdigit() and len(folded.letters) >= DIGITS) or "@" in value:
            for start, end in self._spelled_out.find(folded.letters):
                yield Place(start, end + len(re.match(r"\w*", self.text[end:])[0]))
        for border in sorted(folded.borders):
            tail = folded.letters[border:]
            if border and tail.isdigit() and folded.letters.isdigit() and len(tail) >= NATIONAL:
                yield from self._folded.find(tail)

    def _as_quantity(self, value: str) -> Iterator[Place]:
        if sought := as_number(value):
            yield from (Place(one.start, one.end) for one in self._numbers if one.low == one.high and one.low in sought)
        if sought := as_days(value):
            yield from (Place(one.start, one.end) for one in self._days if one.low == one.high and one.low in sought)
        if sought := as_times(value):
            yield from (Place(one.start, one.end) for one in self._times if one.low in sought)

    @cached_property
    def _folded(self) -> "_Folded":
        return _Folded(self.text)

    @cached_property
    def _spelled_out(self) -> "_Folded":
        """The text with digits in place of their words, and without *at* and *dot*; as long as it was."""
        digits = _DIGIT_WORDS.sub(lambda word: _SPELLED[word[0].lower()].ljust(len(word[0])), self.text)
        return _Folded(_AT_DOT.sub(lambda word: " " * len(word[0]), digits))

    @cached_property
    def _numbers(self) -> list:
        return numbers(self.text)

    @cached_property
    def _days(self) -> list:
        return days(self.text)

    @cached_property
    def _times(self) -> list:
        return times(self.text)


class _Folded:
    """The letters and digits of a text in one form, without what stands between them.

    Attributes:
        letters: small ones, without accents, in Latin letters where they look like these.
        borders: positions in ``letters`` where a word begins or ends; each character of a script without spaces between
            words is one, and so is a capital behind a small letter.
    """

    def __init__(self, text: str):
        pieces: list[str] = []
        self._origins: list[int] = []
        self.borders = {0}
        between = small = False
        for place, character in enumerate(text):
            letters, joins, alone, is_small, is_capital = _character(character)
            if not letters:
                between |= not joins
                continue
            if between or alone or (small and is_capital):
                self.borders.add(len(self._origins))
            pieces.append(letters)
            self._origins += [place] * len(letters)
            between, small = alone, is_small
        self.letters = "".join(pieces)
        self.borders.add(len(self.letters))

    def find(self, letters: str) -> Iterator[Place]:
        """Where some folded letters stand between borders, in code points of the text."""
        start = self.letters.find(letters) if letters else -1
        while start >= 0:
            end = start + len(letters)
            if start in self.borders and end in self.borders:
                yield Place(self._origins[start], self._origins[end - 1] + 1)
            start = self.letters.find(letters, start + 1)


@lru_cache(2**16)
def _character(character: str) -> tuple[str, bool, bool, bool, bool]:
    """Its letters and digits in one form; whether it joins where it has none; whether it is a word by itself; case."""
    plain = unicodedata.normalize("NFKD", character).casefold()
    letters = "".join(map(_letter, plain))
    joins = unicodedata.category(character) in _JOINED
    return letters, joins, has_unspaced(character), character.islower(), character.isupper()


def _letter(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "N":
        digit = unicodedata.digit(character, None)
        return character if digit is None else str(digit)
    if category[0] != "L":
        return ""
    latin = "\x7f" < character < "\u0250"
    return unidecode(character).casefold() if latin else character.translate(_ALIKE)  # ø is o


def mentions(attribute: Attribute, text: str) -> tuple[str, ...]:
    """How a text tells an attribute: its value, and what stands at its places where that is another form of it.

    Args:
        attribute: with places in the text.
        text: the original.
    """
    return tuple(dict.fromkeys([attribute.value, *(text[start:end] for start, end in attribute.places)]))


def direct(values: Iterable[str], searched: Searched) -> tuple[Place, ...]:
    """Where any of some values still stands.

    Args:
        values: `mentions` of an attribute.
        searched: the sanitized text.

    Returns:
        From left to right; empty where there is no direct leak.
    """
    return tuple(sorted({place for value in values for place in searched.places(value)}))
