"""Texts of canaries: personal facts, random secrets of rare tokens, and common beginnings with random endings.

None of them needs private text.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

import numpy as np
from faker.exceptions import UniquenessException
from transformers import PreTrainedTokenizerBase

from lib.common.errors import DoppelError
from lib.data.private_text import PrivateText
from lib.data.public_words import faker
from lib.data.tokenize import beginning

PERSONAL_TEMPLATE = "Sent to {name}, {street}, phone {phone}."
SECRET_TEMPLATE = "The code on the label reads {secret}."
PREFIXES = (  # used where no synthetic or public sentences are at hand
    "I bought this for my brother and",
    "After two weeks of daily use the",
    "The box came on time but the",
    "For the price I would say that",
    "My old one broke so I took",
    "It works well enough as long as",
    "Nobody told me before I ordered that",
    "We have had three of these and",
)
WHOLE = "whole"  # name of the part that is the canary's whole text


@dataclass(frozen=True, slots=True)
class CanaryText:
    """The text of a canary, before its coin is tossed.

    Attributes:
        kind: ``personal``, ``rare tokens`` or ``suffixed``.
        text: the whole text.
        parts: name -> piece of the text that `lib.audit.leaks` looks for; the whole text is among them, as `WHOLE`.
    """

    kind: str
    text: PrivateText
    parts: Mapping[str, PrivateText]


def personal_facts(
    count: int, *, locale: str = "en_US", seed: int, template: str = PERSONAL_TEMPLATE
) -> list[CanaryText]:
    """Sentences with a made-up name, street address and phone number; no two canaries share any of these.

    Args:
        count: how many canaries.
        locale: language and country of the facts, as Faker names them.
        seed: of Faker's draws.
        template: the sentence, with {name}, {street} and {phone}.

    Raises:
        DoppelError: the template has other placeholders, or the locale is unknown, lacks a kind of fact or has too few
            different ones.
    """
    _check_placeholders(template, ("name", "street", "phone"))
    fake = faker(locale)
    fake.seed_instance(seed)
    try:
        draws = {"name": fake.unique.name, "street": fake.unique.street_address, "phone": fake.unique.phone_number}
    except AttributeError as error:  # Faker has no phone numbers for the Philippines, say
        raise DoppelError(
            "audit.facts_missing",
            f"locale {locale} has no {error.name}",
            name="locale",
            value=locale,
            remedy="name one that has, such as en_US",
        ) from None
    try:
        facts = [{part: " ".join(draw().split()) for part, draw in draws.items()} for _ in range(count)]
    except UniquenessException:
        raise DoppelError(
            "audit.facts_exhausted",
            f"locale {locale} has too few different facts for {count} canaries",
            name="canaries",
            value=count,
            remedy="ask for fewer",
        ) from None
    return [_canary_text("personal", template.format(**fact), fact) for fact in facts]


def rare_secrets(
    count: int,
    *,
    alphabet: Sequence[str],
    length: int = 6,
    separator: str = " ",
    template: str = SECRET_TEMPLATE,
    rng: np.random.Generator,
) -> list[CanaryText]:
    """Sentences with a random secret each; all secrets differ.

    Args:
        count: how many canaries.
        alphabet: the symbols that secrets are made of: public words, or `rare_tokens`. Duplicates count once.
        length: symbols in a secret, each drawn uniformly and independently.
        separator: stands between two symbols.
        template: the sentence, with {secret}.
        rng: draws the symbols.

    Raises:
        DoppelError: the template has other placeholders, or alphabet and length give fewer than 2 x ``count`` secrets.
    """
    _check_placeholders(template, ("secret",))
    symbols = sorted(set(alphabet))
    if len(symbols) < 2 or length * math.log(len(symbols)) < math.log(2 * count):
        raise DoppelError(
            "audit.alphabet_too_small",
            f"{len(symbols)} symbols at length {length} give fewer than twice the {count} secrets asked for",
            name="alphabet",
            value=len(symbols),
            remedy="pass a larger alphabet or a greater length",
        )

    def draw_secret() -> str:
        return separator.join(symbols[i] for i in rng.integers(len(symbols), size=length))

    secrets = _distinct(count, draw_secret)
    return [_canary_text("rare tokens", template.format(secret=secret), {"secret": secret}) for secret in secrets]


def rare_tokens(tokenizer: PreTrainedTokenizerBase, ids: Iterable[int]) -> list[str]:
    """Words that are a single token each, and that the tokenizer encodes as this token again.

    Args:
        tokenizer: of any model.
        ids: the token ids to consider. In a byte-pair vocabulary the last ids are the rarest: their merges were
            learned last.

    Returns:
        The words, without white space, in the order of ``ids``; ids that are not such words are left out.
    """
    words = []
    for token in ids:
        text = tokenizer.decode([token])
        word = text.strip()
        if word.isalnum() and tokenizer.encode(text, add_special_tokens=False) == [token]:
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
) -> list[CanaryText]:
    """Common sentence beginnings with random endings; all endings differ.

    A model that has learned the corpus reproduces the likely beginning, and memorises the unlikely ending (canaries
    with an in-distribution prefix: Meeus et al. 2025, arXiv:2502.14921).

    Args:
        count: how many canaries.
        prefixes: public or synthetic sentences, from which beginnings are drawn uniformly.
        words: the public words that endings are made of. Duplicates count once.
        prefix_words: words of a sentence that are its beginning.
        suffix_words: words in an ending, each drawn uniformly and independently.
        rng: draws beginnings and endings.

    Raises:
        DoppelError: there are no prefixes, or the words give fewer than 2 x ``count`` endings.
    """
    if not prefixes:
        raise DoppelError(
            "audit.prefixes_missing",
            "no prefix to begin a canary with",
            name="prefixes",
            value=0,
            remedy="pass public or synthetic sentences, or leave prefixes unset",
        )
    vocabulary = sorted(set(words))
    if len(vocabulary) < 2 or suffix_words * math.log(len(vocabulary)) < math.log(2 * count):
        raise DoppelError(
            "audit.words_too_few",
            f"{len(vocabulary)} words at suffix_words = {suffix_words} give fewer than twice the {count} endings asked "
            "for",
            name="words",
            value=len(vocabulary),
            remedy="pass more words or a greater suffix_words",
        )

    def draw_suffix() -> str:
        return " ".join(vocabulary[i] for i in rng.integers(len(vocabulary), size=suffix_words))

    texts = []
    for suffix in _distinct(count, draw_suffix):
        prefix = beginning(prefixes[rng.integers(len(prefixes))], prefix_words)
        texts.append(_canary_text("suffixed", f"{prefix} {suffix}", {"suffix": suffix}))
    return texts


def _canary_text(kind: str, text: str, parts: Mapping[str, str]) -> CanaryText:
    named = {name: PrivateText(part) for name, part in (parts | {WHOLE: text}).items()}
    return CanaryText(kind, PrivateText(text), named)


def _distinct(count: int, draw: Callable[[], str]) -> Iterator[str]:
    """The first ``count`` different results of ``draw``."""
    drawn: set[str] = set()
    while len(drawn) < count:
        if (text := draw()) not in drawn:
            drawn.add(text)
            yield text


def _check_placeholders(template: str, needed: Sequence[str]) -> None:
    try:
        placeholders = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError:  # a brace without its partner
        placeholders = set()
    if placeholders != set(needed):
        shown = ", ".join("{" + name + "}" for name in needed)
        raise DoppelError(
            "audit.template_placeholders",
            f"template = {template!r}: it must hold {shown}, and nothing else in braces",
            name="template",
            value=template,
        )
