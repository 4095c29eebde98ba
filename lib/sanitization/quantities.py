"""Numbers, days and times that a text tells, each as the range that its words leave. English; digits of any script.

*42* is 42, *in her forties* and *forty-something* are 40 to 49, *about 1,000* is 500 to 1,500 (half a unit of the last
digit that is no 0), *spring 2021* is March to May. So two texts that tell the same day or amount in other words are
alike, and how much a vaguer one still tells is the largest error that its range leaves.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}  # first month, in the north
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
TEENS = (
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
UNITS = {"k": 1e3, "thousand": 1e3, "million": 1e6, "billion": 1e9}
THIRDS = {"early": 0, "mid": 1, "late": 2}


class Range(NamedTuple):
    """What a piece of a text tells.

    Attributes:
        start: of the piece, in code points.
        end: behind it.
        low: least number, or first day (`datetime.date.toordinal`).
        high: greatest number, or last day; equal to ``low`` where it is told exactly.
    """

    start: int
    end: int
    low: float
    high: float

    def error(self, value: float) -> float:
        """How far a value may be from what is told, at most, in its unit.

        Args:
            value: a number, or a day.
        """
        return max(abs(self.low - value), abs(self.high - value))


_NUMBER = r"(?<![\w])(?<!\d[.,])(?:\d{1,3}(?:[,.'’\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?)"
_AFTER = r"(?:[ \u00a0]?(?P<unit%s>k|thousand|million|billion)\b)?(?!\w)(?![.,]\d)"
_MONEY = r"(?:[$€£¥₹]|US\$|USD|EUR|GBP|CHF|CAD|AUD)?[ \u00a0]?"
_ABOUT = r"(?:about|around|roughly|approximately|approx\.|nearly|almost|circa|some|~)"
_WORDS = rf"(?:(?:{'|'.join(TENS)})(?:[- ](?:{'|'.join(ONES)}))?|{'|'.join(TEENS)})"
_DECADES = "|".join(ten[:-1] + "ies" for ten in TENS)
_NUMBERS = re.compile(
    rf"\b(?:between|from) {_MONEY}(?P<low>{_NUMBER}){_AFTER % 0} (?:and|to) {_MONEY}(?P<high>{_NUMBER}){_AFTER % 1}"
    rf"|(?P<low_>{_NUMBER})(?: to |[-–—])(?P<high_>{_NUMBER})(?![-–—\w])(?![.,]\d)"
    rf"|\b{_ABOUT} ?{_MONEY}(?P<about>{_NUMBER}){_AFTER % 2}"
    rf"|\b(?:(?P<third>early|mid|late)[- ])?(?P<decade>{_DECADES}|(?:{'|'.join(TENS)})-something)\b"
    r"|(?<!\w)(?:(?P<third_>early|mid|late)[- ])?(?P<tens>[1-9]0)['’]?s\b"
    rf"|(?P<exact>{_NUMBER}){_AFTER % 3}"
    rf"|\b(?P<words>{_WORDS})\b",
    re.IGNORECASE,
)
_SMALL = (*ONES, "ten")
_BEGINS = re.compile(rf"\s*(?:{_ABOUT} )?{_MONEY}(?:(?P<ones>{'|'.join(_SMALL)})\b|(?=\d|{_WORDS}\b))", re.IGNORECASE)
_MONTH = r"(?P<month>(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6})\b\.?"
_YEAR = r"(?P<year>(?:1[89]|20)\d\d)(?!\w)"
_TIMES = re.compile(
    r"(?<![\w:.])(?P<hour>[01]?\d|2[0-3])(?:[:h](?P<minute>[0-5]\d)(?::[0-5]\d)?(?! ?[ap]\.?m)(?![\w:])"
    r"|(?:[:.h](?P<minute_>[0-5]\d)(?::[0-5]\d)?)? ?(?P<half>[ap])(?:\.m\.|\.?m\b))",
    re.IGNORECASE,
)
_DAYS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\w)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH},? {_YEAR}",
        rf"(?<!\w){_MONTH} (?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? {_YEAR}",
        r"(?<![\w/.-])(?P<year>\d{4})(?P<mark>[-/.])(?P<number>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\w/-])",
        r"(?<![\w/.-])(?P<first>\d{1,2})(?P<mark>[-/.])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)(?![\w/-])",
        rf"(?<!\w){_MONTH},?(?: of)? {_YEAR}",
        rf"(?<![\w/])(?P<number>\d{{1,2}})/{_YEAR}",
        rf"\b(?P<season>{'|'.join(SEASONS)})(?: of|,)? {_YEAR}",
        rf"\b(?P<quarter>first|second|third|fourth) quarter of {_YEAR}",
        rf"\b(?P<third>early|mid|late)[- ](?:in )?{_YEAR}",
        r"(?<!\w)(?P<decade>(?:1[89]|20)\d0)['’]?s\b",
        rf"(?<!\w){_YEAR}",
    )
)


def numbers(text: str) -> list[Range]:
    """The numbers of a text, in digits, and from eleven to ninety-nine in words too (smaller ones are everyday words).

    Args:
        text: any; a range of it (*40 to 49*) is one number.

    Returns:
        From left to right. A number that may be read in two ways (*1.250*) stands twice.
    """
    return [found for match in _NUMBERS.finditer(text) for found in _number(match)]


def days(text: str) -> list[Range]:
    """The days of a text, each in the most exact words that stand there.

    Args:
        text: any.

    Returns:
        In the order of exactness, then from left to right, as ordinals. A day that may be read in two ways (*3/4/2021*)
        stands twice.
    """
    found: list[Range] = []
    taken = bytearray(len(text))
    for pattern in _DAYS:
        for match in pattern.finditer(text):
            if not any(taken[match.start() : match.end()]) and (read := list(_days(match))):
                taken[match.start() : match.end()] = b"\1" * (match.end() - match.start())
                found += read
    return found


def times(text: str) -> list[Range]:
    """The times of day of a text, in minutes from midnight.

    Args:
        text: any.

    Returns:
        From left to right. One that may be either half of the day (*2:30*) stands twice.
    """
    return [found for match in _TIMES.finditer(text) for found in _times(match)]


def amounts(value: str) -> list[Range]:
    """The readings of the number that a value begins with, small words too: *two hours*, *nearly $24.30 an hour*.

    Args:
        value: any text.

    Returns:
        Empty where a value does not begin with a number: *type 2 diabetes* is no amount.
    """
    begins = _BEGINS.match(value)
    if begins and begins["ones"]:
        number = _SMALL.index(begins["ones"].lower()) + 1
        return [Range(*begins.span("ones"), number, number)]
    return [one for one in numbers(value) if begins and one.start <= begins.end()]


def as_number(value: str) -> set[float]:
    """The number that a value is, with a currency's sign or code at most; two where it may be read in two ways.

    Args:
        value: any text; at most 7 digits before the decimal point, since longer ones are numbers of accounts, phones
            and the like, of which none is near another.
    """
    match = re.fullmatch(
        rf"{_MONEY}({_NUMBER})[ \u00a0]?(?:[$€£¥₹]|[A-Z]{{3}}|dollars?|euros?|pounds?)?", value.strip()
    )
    return {number for number in _readings(match[1]) if number < 1e7} if match else set()


def as_days(value: str) -> set[float]:
    """The day that a value is, as ordinals: two where it may be read in two ways, none where it is no exact day.

    Args:
        value: any text.
    """
    value = value.strip()
    whole = [one for one in days(value) if (one.start, one.end) == (0, len(value))]
    return {one.low for one in whole if one.low == one.high}


def as_times(value: str) -> set[float]:
    """The time of day that a value is, in minutes from midnight: two where it may be either half of the day.

    Args:
        value: any text.
    """
    value = value.strip()
    return {one.low for one in times(value) if (one.start, one.end) == (0, len(value))}


def _readings(digits: str) -> set[float]:
    """What digits with separators may mean: a decimal comma, a point between thousands."""
    plain = re.sub(r"['’\u00a0\u202f]", "", digits)
    found = set()
    for thousands, point in ((",", "."), (".", ",")):
        whole, part = rf"\d{{1,3}}(?:\{thousands}\d{{3}})+|\d+", rf"(?:\{point}\d+)?"
        if re.fullmatch(rf"(?:{whole}){part}", plain):
            found.add(float(plain.replace(thousands, "").replace(point, ".")))
    return found


def _number(match: re.Match[str]) -> Iterator[Range]:
    place, given = match.span(), match.groupdict()
    unit = UNITS.get((given["unit0"] or given["unit1"] or given["unit2"] or given["unit3"] or "").lower(), 1)
    ends = (given["low"] or given["low_"]), (given["high"] or given["high_"])
    third = THIRDS.get((given["third"] or given["third_"] or "").lower())
    if ends[0]:
        low, high = (min(_readings(end)) * unit for end in ends)
        yield Range(*place, min(low, high), max(low, high))
    elif given["about"]:
        for number in _readings(given["about"]):
            digits = f"{number:f}".rstrip("0").rstrip(".")
            decimals = len(digits.partition(".")[2])
            zeros = len(digits) - len(digits.rstrip("0")) if not decimals else -decimals
            half = 10.0**zeros / 2 if number else 0.0
            yield Range(*place, (number - half) * unit, (number + half) * unit)
    elif given["decade"] or given["tens"]:
        start = int(given["tens"]) if given["tens"] else _decade(given["decade"])
        low, high = (0, 9) if third is None else ((0, 3), (4, 6), (7, 9))[third]
        yield Range(*place, start + low, start + high)
    elif given["words"]:
        number = _of_words(given["words"].lower())
        yield Range(*place, number, number)
    else:
        yield from (Range(*place, number * unit, number * unit) for number in sorted(_readings(given["exact"])))


def _decade(words: str) -> int:
    """Where a decade of life begins: *forties*, *forty-something*."""
    return next(20 + 10 * place for place, ten in enumerate(TENS) if words.lower().startswith(ten[:-1]))


def _times(match: re.Match[str]) -> Iterator[Range]:
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        return
    hours = {hour % 12 + 12 * (half == "p")} if half else {hour, hour + 12} if 1 <= hour <= 11 else {hour}
    for one in sorted(hours):
        minute = 60 * one + int(match["minute"] or match["minute_"] or 0)
        yield Range(*match.span(), minute, minute)


def _of_words(words: str) -> int:
    if words in TEENS:
        return 11 + TEENS.index(words)
    tens, _, ones = words.replace("-", " ").partition(" ")
    return 20 + 10 * TENS.index(tens) + (ONES.index(ones) + 1 if ones else 0)


def _days(match: re.Match[str]) -> Iterator[Range]:
    """The readings of a day; none where there is no such day."""
    given, place = match.groupdict(), match.span()
    if given.get("decade"):
        year = int(given["decade"])
        yield Range(*place, *_span(year, 1, year + 9, 12))
        return
    year = _full_year(given["year"])
    month = MONTHS.index(given["month"][:3].lower()) + 1 if given.get("month") else int(given.get("number") or 0)
    if given.get("first"):
        first, second = int(given["first"]), int(given["second"])
        yield from _exact(place, {(year, first, second), (year, second, first)})
    elif given.get("day"):
        yield from _exact(place, {(year, month, int(given["day"]))})
    elif month:
        if month <= 12:
            yield Range(*place, *_span(year, month, year, month))
    elif given.get("season"):
        start = SEASONS[given["season"].lower()]
        yield Range(*place, *_span(year, start, year + (start == 12), (start + 1) % 12 + 1))
    elif given.get("quarter"):
        start = 3 * ("first", "second", "third", "fourth").index(given["quarter"].lower()) + 1
        yield Range(*place, *_span(year, start, year, start + 2))
    elif given.get("third"):
        start = 4 * THIRDS[given["third"].lower()] + 1
        yield Range(*place, *_span(year, start, year, start + 3))
    else:
        yield Range(*place, *_span(year, 1, year, 12))


def _full_year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 50 else 1900)


def _exact(place: tuple[int, int], readings: Iterable[tuple[int, int, int]]) -> Iterator[Range]:
    for year, month, day in sorted(readings):
        if 1 <= month <= 12 and year and 1 <= day <= monthrange(year, month)[1]:
            ordinal = date(year, month, day).toordinal()
            yield Range(*place, ordinal, ordinal)


def _span(year: int, month: int, last_year: int, last_month: int) -> tuple[int, int]:
    """First and last day of some months."""
    last = date(last_year, last_month, monthrange(last_year, last_month)[1])
    return date(year, month, 1).toordinal(), last.toordinal()
