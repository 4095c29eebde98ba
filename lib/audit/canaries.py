"""Canaries: made-up records, each in the train set by a fair coin, whose traces are looked for afterwards.

Three kinds: personal facts, random secrets of rare tokens, and an in-distribution beginning with a random end. None of
them needs private text. A canary is an ordinary record, with labels and an owner of its own: adding it is what a
neighbour adds, so a guess about its coin is a guess that epsilon bounds.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from string import Formatter

import numpy as np
from faker.exceptions import UniquenessException
from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.data.private_text import PrivateText
from lib.data.public_words import faker
from lib.data.records import Record

PERSONAL = "Sent to {name}, {street}, phone {phone}."
SECRET = "The code on the label reads {secret}."
PREFIXES = (  # for where no synthetic or public sentence is at hand
    "I bought this for my brother and",
    "After two weeks of daily use the",
    "The box came on time but the",
    "For the price I would say that",
    "My old one broke so I took",
    "It works well enough as long as",
    "Nobody told me before I ordered that",
    "We have had three of these and",
)
WHOLE = "whole"  # the part that is the canary's whole text


@dataclass(frozen=True, slots=True)
class Made:
    """The text of a canary before its coin, and the parts of it to look for: name -> text, the whole among them."""

    kind: str
    text: PrivateText
    parts: Mapping[str, PrivateText]


@dataclass(frozen=True, slots=True)
class Canary:
    """A record, whether its coin said in, and the parts of its text to look for."""

    record: Record
    included: bool
    kind: str
    parts: Mapping[str, PrivateText]

    def as_json(self) -> dict:
        """A line of a table that may be saved: the text is made up, and the line says so."""
        parts = {name: part.reveal() for name, part in self.parts.items()}
        return {"fake": True, "kind": self.kind, "included": self.included, **self.record.as_json(), "parts": parts}


def personal_facts(count: int, *, locale: str = "en_US", seed: int, template: str = PERSONAL) -> list[Made]:
    """A name, a street address and a phone number of nobody in a sentence; no two canaries share one of them.

    ``template`` holds {name}, {street} and {phone}; ``locale`` is one of Faker's, ``seed`` fixes its draws.
    """
    _check_fields(template, ("name", "street", "phone"))
    fake = faker(locale)
    fake.seed_instance(seed)
    draws = {"name": fake.unique.name, "street": fake.unique.street_address, "phone": fake.unique.phone_number}
    try:
        facts = [{part: " ".join(draw().split()) for part, draw in draws.items()} for _ in range(count)]
    except UniquenessException:
        raise DoppelError(f"{count} canaries: locale {locale} has too few different facts; ask for fewer") from None
    return [_made("personal", template.format(**fact), fact) for fact in facts]


def rare_secrets(
    count: int,
    *,
    alphabet: Sequence[str],
    length: int = 6,
    separator: str = " ",
    template: str = SECRET,
    rng: np.random.Generator,
) -> list[Made]:
    """Different secrets of ``length`` symbols, each uniform over ``alphabet``: public words, or `rare_tokens`."""
    _check_fields(template, ("secret",))
    symbols = sorted(set(alphabet))
    if len(symbols) < 2 or length * math.log(len(symbols)) < math.log(2 * count):
        raise DoppelError(
            f"{len(symbols)} symbols at length {length} give fewer than twice the {count} secrets asked for; "
            "pass a larger alphabet or a greater length"
        )

    def secret() -> str:
        return separator.join(symbols[i] for i in rng.integers(len(symbols), size=length))

    return [_made("rare tokens", template.format(secret=s), {"secret": s}) for s in _different(count, secret)]


def rare_tokens(tokenizer: PreTrainedTokenizerBase, ids: Iterable[int]) -> list[str]:
    """The words of those ``ids`` that stand for one printable word and that the tokenizer finds again in it.

    In a byte-pair vocabulary the last ids are the rarest: their merges were learned last.
    """
    words = []
    for i in ids:
        text = tokenizer.decode([i])
        word = text.strip()
        if word.isalnum() and tokenizer.encode(text, add_special_tokens=False) == [i]:
            words.append(word)
    return words


def suffixed(
    count: int,
    *,
    prefixes: Sequence[str] = PREFIXES,
    words: Sequence[str],
    prefix_words: int = 8,
    suffix_words: int = 12,
    rng: np.random.Generator,
) -> list[Made]:
    """The first ``prefix_words`` of a public or synthetic sentence, then ``suffix_words`` random public words.

    The beginning makes a model that learned the corpus take the canary up, the improbable end makes it remember
    (Meeus et al. 2025). No end comes twice.
    """
    if not prefixes:
        raise DoppelError("no prefix; pass public or synthetic sentences, or leave prefixes unset")
    vocabulary = sorted(set(words))
    if len(vocabulary) < 2 or suffix_words * math.log(len(vocabulary)) < math.log(2 * count):
        raise DoppelError(
            f"{len(vocabulary)} words at suffix_words = {suffix_words} give fewer than twice the {count} ends asked "
            "for; pass more words or a greater suffix_words"
        )

    def suffix() -> str:
        return " ".join(vocabulary[i] for i in rng.integers(len(vocabulary), size=suffix_words))

    made = []
    for end in _different(count, suffix):
        beginning = " ".join(prefixes[rng.integers(len(prefixes))].split()[:prefix_words])
        made.append(_made("suffixed", f"{beginning} {end}", {"suffix": end}))
    return made


def toss(made: Sequence[Made], *, cells: Sequence[Mapping[str, str]], rng: np.random.Generator) -> list[Canary]:
    """Canaries with labels drawn uniformly from ``cells`` and one fair coin each, both from ``rng``.

    ``cells`` holds whole label sets, as `lib.data.labels.cells` lists them, so that a canary has the labels of any record.
    """
    if not cells:
        raise DoppelError("no cell to draw labels from; pass [{}] for records without labels")
    if len({one.text for one in made}) < len(made):
        raise DoppelError(f"two of {len(made)} canaries have the same text; their coins could not be told apart")
    labels = [dict(cells[i]) for i in rng.integers(len(cells), size=len(made))]
    coins = rng.random(len(made)) < 0.5
    return [
        Canary(Record(f"canary-{i:05d}", one.text, label), bool(coin), one.kind, one.parts)
        for i, (one, label, coin) in enumerate(zip(made, labels, coins, strict=True))
    ]


def insert(records: Sequence[Record], canaries: Sequence[Canary]) -> list[Record]:
    """The records and, behind them, the canaries that are in. Raises DoppelError where an id is taken."""
    return _joined(records, [canary.record for canary in canaries if canary.included])


@dataclass(frozen=True, slots=True)
class Repetition:
    """Canaries that come ``copies`` times each when they are in: how leaks grow with repetition.

    A coin here moves a group of records, so a guess about it is bounded by `group_claim` and not by the arm's own
    epsilon: its scores never enter `lib.audit.verdict.audit` with that one.
    """

    canaries: Sequence[Canary]
    copies: int

    def __post_init__(self) -> None:
        if self.copies < 1:
            raise DoppelError(f"copies = {self.copies}, it must be at least 1")

    @property
    def unit(self) -> str:
        return f"a group of {self.copies} identical records" if self.copies > 1 else "one record"

    def insert(self, records: Sequence[Record]) -> list[Record]:
        """The records and every copy of the canaries that are in; each copy has an id of its own."""
        copied = [
            replace(canary.record, id=f"{canary.record.id}.{copy:03d}")
            for canary in self.canaries
            if canary.included
            for copy in range(self.copies)
        ]
        return _joined(records, copied)

    def group_claim(self, epsilon: float, delta: float) -> tuple[float, float]:
        """What (epsilon, delta) for one record promises such a group: epsilon k and delta (e^(k epsilon) - 1) /
        (e^epsilon - 1), k the copies (Vadhan 2017, lemma 2.2). A delta of 1 or more promises nothing.
        """
        try:
            factor = math.expm1(self.copies * epsilon) / math.expm1(epsilon) if epsilon else self.copies
        except OverflowError:
            factor = math.inf
        return self.copies * epsilon, min(1.0, delta * factor) if delta else 0.0


def _made(kind: str, text: str, parts: Mapping[str, str]) -> Made:
    return Made(kind, PrivateText(text), {k: PrivateText(v) for k, v in (parts | {WHOLE: text}).items()})


def _different(count: int, draw: Callable[[], str]) -> Iterator[str]:
    seen: set[str] = set()
    while len(seen) < count:
        if (found := draw()) not in seen:
            seen.add(found)
            yield found


def _joined(records: Sequence[Record], added: Sequence[Record]) -> list[Record]:
    if taken := {r.id for r in records} & {r.id for r in added}:
        raise DoppelError(f"{len(taken)} canaries have the id of a record; a corpus that holds canaries gets no others")
    return [*records, *added]


def _check_fields(template: str, fields: Sequence[str]) -> None:
    try:
        found = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:  # a brace without its twin
        found = set()
    if found != set(fields):
        named = ", ".join("{" + field + "}" for field in fields)
        raise DoppelError(f"template = {template!r}: it must hold {named}, and nothing else in braces")
