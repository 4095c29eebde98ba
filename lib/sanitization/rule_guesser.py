"""A guesser without a model, by three stated rules. It is a weak reader: a leak that it finds is one, not the reverse.

1. *A known list*: who knows the values that attributes of this name have in the whole set picks the one of which most
   words stand in a sentence, if these are `KNOWN` of it or more, and no other one has as many. Days and amounts are not
   told by their words, and so not picked.
2. *A field*: a line that begins with the attribute's name (*Blood type: A+*) tells the rest of the line.
3. *The class*: the most exact phrase of the attribute's kind: a day, an age, a sum of money, or what patterns find of a
   class (`lib.pii.detectors.rules`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from lib.data.tokenize import sentences, words
from lib.generation.workflow import Steps
from lib.pii.detectors.rules import Rules
from lib.pii.spans import Span
from lib.sanitization.closeness import weighty
from lib.sanitization.guesses import Asked, checked_attributes
from lib.sanitization.quantities import Range, amounts, as_days, days, numbers
from lib.sanitization.schema import Sanitized

KNOWN = 0.7  # of a value's letters, in words that stand in the text
AGES = (0, 120)  # years
_LONGEST_FIELD = 200  # characters of a field that are read
_DAY = re.compile(r"date|birth|born|\bday\b|\bwhen\b", re.IGNORECASE)
_AGE = re.compile(r"\bage\b", re.IGNORECASE)
_SUM = re.compile(
    r"amount|cost|price|salary|income|fee\b|\bsum\b|balance|rent\b|debt|loan|budget|fine\b|payment|refund",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[$€£¥₹]|\b(?:USD|EUR|GBP|dollars?|euros?|pounds?)\b")
_BEFORE_AGE = re.compile(r"\b(?:aged?|turn(?:ed|ing|s)|in (?:my|his|her|their)(?: \w+)?)[: ]*$", re.IGNORECASE)
_BEHIND_AGE = re.compile(r"[- ](?:years?|yrs?)[- ](?:old|of age)", re.IGNORECASE)
_CLASSES = {"DOB": "DATE", "IPV4": "IP", "IPV6": "IP"}  # classes whose values look alike


class RuleGuesser:
    """Guesses by the rules above.

    Args:
        known: name of an attribute -> the values that it has in the set; empty: the first rule is not used.
        locale: of the texts: ``en_US``.

    Raises:
        DoppelError: an unknown locale.
    """

    name = "rules"

    def __init__(self, known: Mapping[str, Iterable[str]], locale: str = "en_US"):
        self._detector = Rules(locale)
        self._known = {name: _Known(values) for name, values in known.items()}

    def guess(self, text: str, asked: Sequence[Asked]) -> Steps[dict[str, str]]:
        (spans,) = self._detector.find([text])
        fields, told = _fields(text), [frozenset(sentence) for sentence in sentences(text)]
        nothing = _Known(())
        return {
            one.name: self._known.get(one.name, nothing).likeliest(told)
            or fields.get(_plain(one.name))
            or _of_class(one, text, spans)
            for one in asked
        }
        yield  # asks nothing


class _Known:
    """Values, by their words."""

    def __init__(self, values: Iterable[str]):
        in_words = [value for value in set(values) if not as_days(value) and not amounts(value)]
        self._weights = {value: sum(weighty(value).values()) for value in in_words}
        self._holding: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for value in self._weights:
            for word, weight in weighty(value).items():
                self._holding[word].append((value, weight))

    def likeliest(self, told: Sequence[Collection[str]]) -> str:
        """The value of which most stands in one of some sentences, each given by its words; see the first rule."""
        most: dict[str, tuple[float, int, str]] = {}
        for sentence in told:
            here: Counter[str] = Counter()
            for word in sentence:
                for value, weight in self._holding.get(word, ()):
                    here[value] += weight
            for value, weight in here.items():
                most[value] = max(most.get(value, (0, 0, "")), (weight / self._weights[value], weight, value))
        best, second = [*sorted(most.values(), reverse=True), (0, 0, ""), (0, 0, "")][:2]
        return best[2] if best[0] >= KNOWN and best[:2] > second[:2] else ""


def values_of(records: Iterable[Sanitized]) -> dict[str, list[str]]:
    """The values that checked attributes have in a set, by name: what the first rule knows.

    Args:
        records: of the set.
    """
    known = defaultdict(list)
    for record in records:
        for one in checked_attributes(record):
            known[one.name].append(one.value)
    return dict(known)


def _plain(name: str) -> str:
    return " ".join(words(name.replace("_", " ")))


def _fields(text: str) -> dict[str, str]:
    """What forms tell: the words before a colon on a line -> what stands behind it; of equal ones the first."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        for part in re.split(r"[|;\t]", line):
            name, colon, value = part.partition(":")
            if colon and len(name) <= 60 and (value := value.strip(" *_-")):
                found.setdefault(_plain(name), value[:_LONGEST_FIELD])
    return found


def _of_class(asked: Asked, text: str, spans: Sequence[Span]) -> str:
    name = asked.name.replace("_", " ")
    label = _CLASSES.get(asked.label, asked.label)
    if label == "DATE" or (not label and _DAY.search(name)):
        return _most_exact(text, days(text))
    if label == "AGE" or (not label and _AGE.search(name)):
        ages = [one for one in numbers(text) if AGES[0] <= one.low <= one.high <= AGES[1] and _tells_age(text, one)]
        return _most_exact(text, ages)
    if label == "AMOUNT" or (not label and _SUM.search(name)):
        return _most_exact(text, [one for one in numbers(text) if _MONEY.search(text[one.start - 5 : one.end + 9])])
    return next((span.value for span in spans if label and label in (span.label, _CLASSES.get(span.label))), "")


def _tells_age(text: str, number: Range) -> bool:
    before, behind = text[max(0, number.start - 20) : number.start], text[number.end : number.end + 12]
    return bool(
        re.search(
            r"\b(?:age|aged|age:|turned|turning|turns|in (?:my|his|her|their)(?: \w+)?)[: ]*$", before, re.IGNORECASE
        )
        or re.match(r"[- ](?:years?|yrs?)[- ](?:old|of age)|[- ]year-old", behind, re.IGNORECASE)
    )


def _most_exact(text: str, found: Sequence[Range]) -> str:
    """The phrase that leaves least open, of several the first; "" where there is none."""
    best = min(found, key=lambda one: (one.high - one.low, one.start), default=None)
    return text[best.start : best.end] if best else ""
