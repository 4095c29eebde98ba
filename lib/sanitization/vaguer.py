"""Days, ages, sums and other quantities in vaguer words, so that what is left open is wide enough to hide the value."""

import re
from collections.abc import Callable
from datetime import date

from lib.sanitization.quantities import as_days, days

TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_UP_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
WORDS = {word: number for number, word in enumerate(_UP_TO_TWENTY)} | {
    ten: 20 + 10 * place for place, ten in enumerate(TENS)
}
UNITS = (
    "seconds?|minutes?|mins?|hours?|nights?|days?|weeks?|weekends?|months?|years?|sessions?|times|people|persons|"
    "grams?|kilos?|kilograms?|kg|g|mg|ml|litres?|liters?|cm|mm|m|km|metres?|meters?|centimetres?|millimetres?|inch|"
    "inches|feet|foot|ft|miles?|pounds?|lbs?|stone|degrees?|points?|pages?|rooms?|square metres|square feet"
)
CURRENCIES = {"$": "dollars", "£": "pounds", "€": "euros", "¥": "yen", "₹": "rupees"}
SIZES = (  # up to this number -> words; a number is never at the edge of what its words leave open alone
    (1, "a"), (4, "a few"), (12, "several"), (20, "over a dozen"), (99, "dozens of"), (199, "over a hundred"),
    (999, "several hundred"), (1_999, "over a thousand"), (9_999, "several thousand"), (99_999, "tens of thousands of"),
    (999_999, "hundreds of thousands of"),
)  # fmt: skip
_FIGURE = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBER = rf"(?:{_FIGURE}|(?:{'|'.join(TENS)})-\w+|{'|'.join(WORDS)})"
_MONEY = re.compile(
    rf"(?P<sign>[$£€¥₹]) ?(?P<sum>{_FIGURE})(?P<times> ?(?:k|thousand|million)\b)?"
    rf"|(?P<sum_>{_FIGURE}) ?(?P<name>dollars|pounds|euros|USD|EUR|GBP)\b"
)
_QUANTITY = re.compile(
    r"(?:about |around |almost |nearly |some |only |just )?"
    rf"(?P<number>{_NUMBER})(?P<unit>[- ]?(?:{UNITS}))?(?P<rest> of\b.*)?",
    re.IGNORECASE,
)
_PERCENT = re.compile(rf"(?P<number>{_FIGURE}) ?(?:%|percent|per cent)", re.IGNORECASE)
_TIME = re.compile(r"(?P<at>at )?(?P<hour>\d{1,2})(?:[:.h]\d\d)?(?:[:.]\d\d)? ?(?P<half>[ap]\.?m\b\.?)?", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]*\b", re.IGNORECASE)
_SEASONS = ("winter", "winter", *["spring"] * 3, *["summer"] * 3, *["autumn"] * 3, "winter")


def day(value: str) -> str:
    """A day or a month as season and year, ``spring 2019``; of winter the part of the year; a year as its decade.

    Args:
        value: as a text has it.

    Returns:
        "" where it is no day.
    """
    if exact := as_days(value):
        return _season(date.fromordinal(int(min(exact))))
    found = [one for one in days(value) if one.low < one.high]
    if found:
        low, high = (date.fromordinal(int(end)) for end in (found[0].low, found[0].high))
        return _season(low) if (high - low).days < 200 else f"the {low.year // 10 * 10}s"
    month = _MONTH.search(value)
    return _SEASONS[_MONTHS.index(month[1].lower())] if month else ""


def birth(value: str) -> str:
    """A day of birth as its decade: ``the 1980s``.

    Args:
        value: as a text has it.

    Returns:
        "" where it is no day.
    """
    found = [date.fromordinal(int(one.low)) for one in days(value)]
    return f"the {found[0].year // 10 * 10}s" if found else ""


def age(value: str) -> str:
    """An age by its decade, in a word that stands behind a verb and before a noun: ``thirty-something``.

    Args:
        value: as a text has it.

    Returns:
        "" where it is no age.
    """
    number = _number(value)
    if number is None or not 0 <= number < 130:
        return ""
    if number < 20:
        return "very young" if number < 13 else "teenage"
    return f"{TENS[number // 10 - 2]}-something" if number < 100 else "very old"


def time_of_day(value: str) -> str:
    """A time by the part of the day: ``the afternoon``; of ``at 14:30``, ``in the afternoon``.

    *6:15* may be either half of the day, so it is ``some time of the day``; *06:15* is in the morning.

    Args:
        value: as a text has it.

    Returns:
        "" where it is no time.
    """
    if not (match := _TIME.fullmatch(value.strip())):
        return ""
    hour = int(match["hour"]) % 24
    if not match["half"] and 0 < hour <= 12 and match["hour"][0] != "0":
        return f"{match['at'] or ''}some time of the day"
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"][0] in "pP")
    before = "in the " if match["at"] else "the "
    return before + ("night" if hour < 6 else "morning" if hour < 12 else "afternoon" if hour < 18 else "evening")


def amount(value: str) -> str:
    """A sum of money by its size: ``several hundred dollars a month``.

    Args:
        value: as a text has it.

    Returns:
        "" where it is no sum.
    """
    found = _MONEY.search(value)
    if not found:
        plain = re.fullmatch(_FIGURE, value.strip())
        return f"a sum in the {_order(_number(value))}" if plain else ""
    number = _number(found["sum"] or found["sum_"])
    number *= {"k": 1e3, "thousand": 1e3, "million": 1e6}.get((found["times"] or "").strip(), 1)
    name = CURRENCIES.get(found["sign"], found["name"])
    rest = value[found.end() :]
    return f"{sized(number)} {name}{rest if not re.search(r'[0-9]', rest) else ''}"


def quantity(value: str) -> str:
    """A number with its unit by its size: ``several weeks``.

    Args:
        value: as a text has it.

    Returns:
        "" where it is no number with a unit.
    """
    match = _QUANTITY.fullmatch(value.strip())
    if not match or not (match["unit"] or match["rest"]):
        return ""
    number = _number(match["number"])
    words = "about a" if number == 1 else sized(number)
    return f"{words} {(match['unit'] or '').strip(' -')}".strip()


def percentage(value: str) -> str:
    """A share by its size: ``a small share``.

    Args:
        value: as a text has it.

    Returns:
        "" where it is no share.
    """
    match = _PERCENT.fullmatch(value.strip())
    if not match:
        return ""
    number = _number(match["number"])
    return "a small share" if number < 25 else "less than half" if number < 50 else "more than half"


def postal_code(value: str) -> str:
    """The area of a postal code: its first three digits, or the part before the space: ``627xx``, ``SW1A``.

    Args:
        value: as a text has it.

    Returns:
        "" where it is of another form.
    """
    if value.isdecimal() and len(value) > 3:
        return value[:3] + "x" * (len(value) - 3)
    head, space, _ = value.partition(" ")
    return head if space and head.isalnum() else ""


def sized(number: float) -> str:
    """The size of a number in words that stand before a noun: ``several hundred``.

    Args:
        number: at least 0.
    """
    return next((words for most, words in SIZES if number <= most), "millions of")


VAGUER: dict[str, Callable[[str], str]] = {
    "day": day, "birth": birth, "age": age, "time": time_of_day, "amount": amount, "quantity": quantity,
    "percentage": percentage, "postal_code": postal_code,
}  # fmt: skip


def _season(when: date) -> str:
    if when.month <= 2:
        return f"early {when.year}"
    return f"late {when.year}" if when.month == 12 else f"{_SEASONS[when.month - 1]} {when.year}"


def _order(number: float | None) -> str:
    return "tens" if not number or number < 100 else "hundreds" if number < 1_000 else "thousands"


def _number(words: str) -> float | None:
    words = words.strip().lower()
    if re.fullmatch(_FIGURE, words):
        return float(words.replace(",", "")) if "." in words else int(words.replace(",", ""))
    ten, _, one = words.partition("-")
    return WORDS[ten] + WORDS.get(one, 0) if ten in WORDS else None
