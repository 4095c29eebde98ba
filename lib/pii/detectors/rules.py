"""Patterns with validators: personal data that its form, its check digits or the words before it give away.

Names and places without such a form are for the other detectors. Every pattern is bounded, so that a line of a million
characters is read in time proportional to its length.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from phonenumbers import Leniency, PhoneNumberMatcher
from schwifty import registry
from schwifty.exceptions import InvalidCountryCode
from stdnum import luhn
from stdnum.gb import nhs

from lib.pii import checks
from lib.pii.detectors.detector import first_come
from lib.pii.locales import locale_named
from lib.pii.spans import Span

NATIONAL_WORDS = (
    r"social security|national (?:insurance|id|identity)|identity (?:card|number)|ssn|nhs|sin|insee|dni|cpf"
)
MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
DATE = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH},? (?:19|20)\d\d|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d"
    r"|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}(?:-\d{1,2}-|/\d{1,2}/|\.\d{1,2}\.)(?:19|20)?\d\d)(?![\w-])"
)
STREETS = "street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|terrace|square|highway|hwy"
STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
NETWORKS = (4, 4, 4, 4), (4, 6, 5), (4, 6, 4)  # groups of digits on cards
DEVICES = ("01", "35", "86", "99")  # reporting bodies of device numbers (GSMA TS.06)


class Rule(NamedTuple):
    """A pattern and what else must be true.

    Attributes:
        pattern: what stands in the text; its named groups are classes, and each of them becomes a span.
        check: of the class and the value, where the form alone proves too little.
    """

    pattern: re.Pattern[str]
    check: Callable[[str, str], object] | None = None


def _rule(pattern: str, check: Callable[[str, str], object] | None = None, flags: int = re.IGNORECASE) -> Rule:
    return Rule(re.compile(pattern, flags), check)


def _passes(name: str, value: str) -> bool:
    return bool(checks.check(name, value, "en_US"))


def _is_card(_: str, value: str) -> bool:
    """A network's prefix and length, Luhn's digit, and groups as cards have them, with one kind of separator."""
    marks = {mark for mark in value if not mark.isdigit()}
    groups = tuple(map(len, re.split(r"[ -]", value)))
    grouped = not marks or (len(marks) == 1 and groups in NETWORKS)
    return grouped and _passes("CREDITCARDNUMBER", value)


def _is_ipv6(_: str, value: str) -> bool:
    try:
        return ipaddress.IPv6Address(value) is not None
    except ValueError:
        return False


def _is_device(_: str, value: str) -> bool:
    return (value.startswith(DEVICES) or "-" in value) and luhn.is_valid(re.sub(r"\D", "", value))


def _is_vin(_: str, value: str) -> bool:
    return not value.isdigit() and not value.isalpha() and value.upper() == value and _passes("VEHICLEVIN", value)


def _on_earth(_: str, value: str) -> bool:
    latitude, longitude = map(float, re.findall(r"-?\d+\.\d+", value))
    return abs(latitude) <= 90 and abs(longitude) <= 180


RULES = (  # the surest first: of two that overlap, the earlier stays
    _rule(r"(?<![\w@])(?P<URL>(?:https?://|www\.)[^\s<>\"'`\])}]{2,2000}(?<![.,;:!?]))"),
    _rule(r"(?<![\w.+@-])(?P<EMAIL>[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6})(?![\w@])", _passes),
    _rule(r"(?P<USERAGENT>\bMozilla/\d\.\d \([^()\n]{1,200}\)(?: [\w.]{1,40}/[\w.]{0,40}\w| \([^()\n]{1,100}\)){0,8})"),
    _rule(
        r"(?<![\w@.-])(?P<URL>(?:[a-z0-9][a-z0-9-]{0,62}\.){1,4}(?:com|org|net|edu|gov|info|io|de|fr|uk)"
        r"(?:/[^\s<>\"')\]]{0,500}(?<![.,;:!?]))?)(?![\w@-])"
    ),
    _rule(r"(?<![\w:.-])(?P<MAC>[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\2[0-9a-f]{2}){4})(?![\w:-])", _passes),
    _rule(r"(?<![\w:.])(?P<IPV6>[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w:])", _is_ipv6),
    _rule(r"(?<![\w.])(?P<IPV4>\d{1,3}(?:\.\d{1,3}){3})(?!\w|\.\d)", _passes),
    _rule(r"\b(?P<ETHEREUMADDRESS>0x[0-9a-f]{40})\b", _passes),
    _rule(r"\b(?P<LITECOINADDRESS>ltc1[02-9ac-hj-np-z]{20,80}|[LM][1-9A-HJ-NP-Za-km-z]{25,34})\b", _passes, 0),
    _rule(r"\b(?P<BITCOINADDRESS>bc1[02-9ac-hj-np-z]{20,80}|[13][1-9A-HJ-NP-Za-km-z]{25,34})\b", _passes, 0),
    _rule(r"(?<![\w-])(?P<PHONEIMEI>\d{15}|\d{2}-\d{6}-\d{6}-\d)(?![\w-])", _is_device),
    _rule(r"(?<![\w.,-])(?P<CREDITCARDNUMBER>\d(?:[ -]?\d){11,18})(?![\w-]|[.,]\d)", _is_card),
    _rule(r"(?<!\w)(?P<MASKEDNUMBER>[*xX•]{4}(?:[ -]?[*xX•]{2,4}){1,4}[ -]?\d{2,5})(?!\w)", flags=0),
    _rule(r"\b(?P<VEHICLEVIN>[A-HJ-NPR-Z0-9]{17})\b", _is_vin, 0),
    _rule(r"(?<![\w-])(?P<SSN>\d{3}-\d{2}-\d{4})(?![\w-])", lambda _, value: checks.NATIONAL["US"].is_valid(value)),
    _rule(
        rf"\b(?:date of birth|d\.?o\.?b\.?|birthday|birthdate|born|geboren|née?)(?: (?:on|is|am|le|was))?[: ]{{1,3}}"
        rf"(?P<DOB>{DATE})"
    ),
    _rule(
        r"(?<![\w.])(?P<NEARBYGPSCOORDINATE>\[?-?\d{1,2}\.\d{3,8}°?(?: ?[NS])?, ?-?\d{1,3}\.\d{3,8}°?(?: ?[EW])?\]?)"
        r"(?!\w|\.\d)",
        _on_earth,
    ),
    _rule(r"\b(?:password|passwd|pwd|passcode)(?: is|:|=)[: ]{0,2}(?P<PASSWORD>[^\s]{4,64}(?<![.,;]))"),
    _rule(r"\b(?:pin|pin code|pin number)(?: is|:|=| )[: ]{0,2}(?P<PIN>\d{4,6})\b"),
    _rule(r"\b(?:cvv|cvc|cvv2|security code)(?: is|:|=| )[: ]{0,2}(?P<CREDITCARDCVV>\d{3,4})\b"),
    _rule(
        r"\b(?:account|acct)\.?(?: (?:number|no\.?|#))?(?: is|:|=|#| )[: #]{0,2}"
        r"(?P<ACCOUNTNUMBER>\d(?:[ -]?\d){5,17})\b"
    ),
    _rule(
        r"\b(?:bic|swift)(?: code)?(?: is|:|=| )[: ]{0,2}(?P<BIC>[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b", _passes
    ),
    _rule(
        r"\b(?:licen[cs]e plate|number plate|registration)(?: number)?(?: is|:|=| )[: ]{0,2}"
        r"(?P<VEHICLEVRM>(?=[A-Z -]{0,9}\d)[A-Z0-9][A-Z0-9 -]{2,8}[A-Z0-9])\b"
    ),
    _rule(r"(?<![\w@./])(?P<USERNAME>@[a-z_]\w{2,29})(?![\w@])"),
    _rule(r"\b(?:user ?name|user id|login|handle)(?: is|:|=)[: ]{0,2}(?P<USERNAME>[\w.@-]{3,40}(?<![.]))"),
    _rule(
        r"\b(?P<PREFIX>(?:Mr|Mrs|Ms|Mx|Miss|Prof)\b\.?)\s?(?:(?P<FIRSTNAME>[A-Z][\w'’-]{1,30})\s)?"
        r"(?P<LASTNAME>[A-Z][\w'’-]{1,30})",
        flags=0,
    ),
    _rule(
        rf"\b(?P<BUILDINGNUMBER>\d{{1,5}}[A-Za-z]?) (?P<STREET>(?:[NSEW]\.? )?(?:[A-Z][\w'’-]{{1,30}} ){{1,3}}"
        rf"(?i:{STREETS})\b\.?)",
        flags=0,
    ),
    _rule(rf"\b(?P<STATE>{STATES})\.?,? (?P<ZIPCODE>\d{{5}}(?:-\d{{4}})?)\b", flags=0),
    _rule(r"\b(?P<AGE>\d{1,3})[- ]years?[- ]old\b|\b(?:aged|age:?) (?P<AGE_>\d{1,3})\b"),
    _rule(rf"(?<![\w-])(?P<DATE>{DATE})"),
    _rule(r"(?<![\w:.])(?P<TIME>(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?: ?[ap]\.?m\b\.?)?)(?![\w:])"),
)  # fmt: skip
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,40}")
_NATIONAL = re.compile(
    rf"\b(?:{NATIONAL_WORDS})(?: (?:number|no\.?|card))?(?: is|:|=|#| )[: #]{{0,2}}"
    r"(?P<SSN>(?=[A-Z]{0,6} ?\d)[A-Z0-9](?:[ ./-]?[A-Z0-9]){7,17})\b",
    re.IGNORECASE,
)
_LOCAL = re.compile(
    r"\b(?:phone|tel|telephone|mobile|cell|call|fax)\b[^\w\n+(]{0,5}"
    r"(?P<PHONENUMBER>[+(]?\d(?:[ ()./-]{0,2}\d){5,14})(?!\w)",
    re.I,
)


class Rules:
    """Patterns with validators, for one country's phones and national numbers and everybody's other numbers.

    The words that some patterns ask for are English. A number is taken for a phone where libphonenumber says that it
    is valid, or behind a word such as *phone*.

    Args:
        locale: of the texts: ``en_US``.

    Raises:
        DoppelError: an unknown locale.
    """

    name = "rules"
    scheme = "doppel"

    def __init__(self, locale: str = "en_US"):
        self.country = locale_named(locale).country

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """The spans of each text.

        Args:
            texts: any; each is read by itself.

        Returns:
            For each text its spans, disjoint and from left to right.
        """
        return [first_come(self._candidates(text)) for text in texts]

    def _candidates(self, text: str) -> Iterator[Span]:
        """All spans, overlapping ones too, the surest first."""
        yield from _accounts(text)
        yield from self._national(text)
        for rule in RULES:
            for match in rule.pattern.finditer(text):
                yield from _spans(match, rule.check)
        yield from self._phones(text)

    def _national(self, text: str) -> Iterator[Span]:
        """National numbers behind a word that says so, with the check digits of the country's."""
        for match in _NATIONAL.finditer(text):
            kinds = [checks.NATIONAL.get(self.country), nhs]
            number = re.sub(r"[ ./]", "", match["SSN"])
            if any(kind and kind.is_valid(number) for kind in kinds):
                yield from _spans(match, None)

    def _phones(self, text: str) -> Iterator[Span]:
        """Phone numbers, line by line: two on two lines are never one."""
        done = 0
        for line in text.splitlines(keepends=True):
            for match in PhoneNumberMatcher(line, self.country, leniency=Leniency.VALID):
                yield Span(done + match.start, done + match.end, "PHONENUMBER", match.raw_string)
            done += len(line)
        for match in _LOCAL.finditer(text):
            yield from _spans(match, None)


def _accounts(text: str) -> Iterator[Span]:
    """IBANs, of the length that their country has, so that no capitals behind them are eaten."""
    for match in _IBAN.finditer(text):
        length = _account_length(match[0][:2])
        places = [place for place, mark in enumerate(match[0]) if mark != " "]
        if 0 < length <= len(places):
            end = match.start() + places[length - 1] + 1
            value = text[match.start() : end]
            if not text[end : end + 1].isalnum() and _passes("IBAN", value):
                yield Span(match.start(), end, "IBAN", value)


def _account_length(country: str) -> int:
    try:
        return registry.get_iban_spec(country).iban_length
    except InvalidCountryCode:
        return 0


def _spans(match: re.Match[str], check: Callable[[str, str], object] | None) -> Iterator[Span]:
    for group, value in match.groupdict().items():
        name = group.rstrip("_")  # a pattern may name a class twice
        if value and (check is None or check(name, value)):
            yield Span(match.start(group), match.end(group), name, value)
