"""Canaries: distinct, reproducible, ordinary records, each in by a fair coin."""

from collections import Counter

import numpy as np
import pytest
from faker import Faker
from faker.config import AVAILABLE_LOCALES
from faker.providers import BaseProvider
from scipy.stats import binom, chisquare
from support.errors import refused

from lib.audit.canaries import Repetition, insert, toss
from lib.audit.canary_texts import PREFIXES, WHOLE, personal_facts, rare_secrets, rare_tokens, suffixed
from lib.data import public_words
from lib.data.private_text import PrivateText
from lib.data.records import Record, check_labels, from_json

CELLS = [{"stars": "1"}, {"stars": "5"}]
WORDS = [f"word{i}" for i in range(50)]


def rng(seed=0):
    return np.random.default_rng(seed)


def revealed(texts):
    """The parts of each canary, name -> text."""
    return [{name: part.reveal() for name, part in canary.parts.items()} for canary in texts]


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP"])
def test_personal_facts_are_distinct_in_every_part_and_stand_in_the_text(locale):
    facts = revealed(personal_facts(150, locale=locale, seed=0))
    for part in ("name", "street", "phone", WHOLE):
        assert len({fact[part] for fact in facts}) == 150
        assert all(fact[part] and fact[part] in fact[WHOLE] for fact in facts)
    assert all(set(fact) == {"name", "street", "phone", WHOLE} for fact in facts)


def test_the_whole_part_is_the_text():
    assert all(canary.parts[WHOLE] == canary.text for canary in personal_facts(3, seed=0))


class Few(BaseProvider):
    """Forty values of each fact, so that plain draws would repeat them."""

    def name(self):
        return f"Ann {self.random_int(1, 40)}"

    def street_address(self):
        return f"{self.random_int(1, 40)} Hill\nRoad"

    def phone_number(self):
        return f"555-{self.random_int(1, 40)}"


def test_facts_that_repeat_are_drawn_again(monkeypatch):
    fake = Faker()
    fake.add_provider(Few)
    monkeypatch.setattr(public_words, "Faker", lambda _: fake)
    facts = revealed(personal_facts(40, seed=0))
    assert [len({fact[part] for fact in facts}) for part in ("name", "street", "phone")] == [40] * 3
    assert all("\n" not in fact[WHOLE] for fact in facts)


def test_a_seed_repeats_personal_facts_and_nothing_touches_global_randomness():
    before = np.random.get_state()[1].tolist()
    assert personal_facts(5, seed=3) == personal_facts(5, seed=3) != personal_facts(5, seed=4)
    assert np.random.get_state()[1].tolist() == before


def test_secrets_are_distinct_and_uniform_over_the_alphabet():
    parts = revealed(rare_secrets(400, alphabet=["a", "b", "c", "d"], length=7, separator="", rng=rng()))
    secrets = [canary["secret"] for canary in parts]
    assert len(set(secrets)) == len(secrets) == 400 and {len(secret) for secret in secrets} == {7}
    assert chisquare(list(Counter("".join(secrets)).values())).pvalue > 1e-3
    assert all(canary["secret"] in canary[WHOLE] for canary in parts)


def test_suffixed_canaries_begin_like_the_corpus_and_end_at_random():
    sentences = ["The  sound is fine and the price is even finer than that", "It broke"]
    parts = revealed(suffixed(30, prefixes=sentences, words=WORDS, prefix_words=5, suffix_words=4, rng=rng()))
    endings = [canary["suffix"].split() for canary in parts]
    assert len(set(map(tuple, endings))) == 30
    assert all(len(ending) == 4 and set(ending) <= set(WORDS) for ending in endings)
    beginnings = {canary[WHOLE].removesuffix(" " + canary["suffix"]) for canary in parts}
    assert beginnings == {"The sound is fine and", "It broke"}
    texts = [canary.text.reveal() for canary in suffixed(200, words=WORDS, rng=rng())]
    assert {text.rsplit(" ", 12)[0] for text in texts} == set(PREFIXES)


def test_the_public_words_of_a_language():
    english = public_words.public_words()
    assert len(english) > 900 and len(set(english)) == len(english)
    assert public_words.public_words("de_DE") != english


class Toy:
    """A tokenizer of five tokens: a word with its space, a sign, a word that is encoded otherwise, a pair, a word."""

    pieces = (" apple", "!!", "split", " two words", "pear")

    def decode(self, ids):
        return self.pieces[ids[0]]

    def encode(self, text, add_special_tokens):
        return [0, 1] if text == "split" else [self.pieces.index(text)]


def test_rare_tokens_are_words_that_are_found_again():
    assert rare_tokens(Toy(), [4, 3, 2, 1, 0]) == ["pear", "apple"]


def test_a_coin_is_fair_and_independent_of_labels_and_of_the_other_coins():
    drawn = toss(suffixed(2000, words=WORDS, rng=rng()), cells=CELLS, rng=rng(1))
    coins = np.array([canary.included for canary in drawn])
    first_label = np.array([canary.record.labels["stars"] == "1" for canary in drawn])
    for count in (coins.sum(), first_label.sum(), (coins ^ first_label).sum(), (coins[1:] ^ coins[:-1]).sum()):
        assert binom.ppf(1e-4, 2000, 0.5) < count < binom.ppf(1 - 1e-4, 2000, 0.5)
    again = toss(suffixed(2000, words=WORDS, rng=rng()), cells=CELLS, rng=rng(1))
    assert again == drawn


def test_canaries_are_ordinary_records_of_the_declared_domain():
    drawn = toss(personal_facts(20, seed=0), cells=CELLS, rng=rng())
    records = [c.record for c in drawn]
    check_labels(records, {"stars": ["1", "5"]})
    assert len({r.id for r in records}) == len({r.owner for r in records}) == 20
    line = drawn[0].as_json()
    assert line["fake"] is True and line["parts"][WHOLE] == line["text"]
    assert from_json({k: line[k] for k in ("id", "text", "labels")}, "here") == records[0]


def test_a_canary_shows_no_text():
    (canary,) = toss(personal_facts(1, seed=0), cells=[{}], rng=rng())
    assert not any(part.reveal() in repr(canary) for part in canary.parts.values())


def test_those_that_are_in_are_inserted_and_no_others():
    corpus = [Record("a", PrivateText("x"), {})]
    drawn = toss(personal_facts(30, seed=0), cells=[{}], rng=rng())
    inside = [c.record for c in drawn if c.included]
    assert 0 < len(inside) < 30
    assert insert(corpus, drawn) == corpus + inside
    with refused("audit.canary_ids_taken", name="canaries", value=len(inside)):
        insert(insert(corpus, drawn), drawn)


@pytest.mark.parametrize("copies", [1, 10])
def test_copies_are_records_of_their_own(copies):
    drawn = toss(personal_facts(30, seed=0), cells=[{}], rng=rng())
    repeated = Repetition(drawn, copies).insert([])
    texts = Counter(r.text for r in repeated)
    assert texts == {c.record.text: copies for c in drawn if c.included}
    assert len({r.id for r in repeated}) == len(repeated)


@pytest.mark.parametrize(
    ("make", "code", "name", "value"),
    [
        (lambda: public_words.public_words("xx_XX"), "data.unknown_locale", "locale", "xx_XX"),
        (lambda: personal_facts(3, locale="xx_XX", seed=0), "data.unknown_locale", "locale", "xx_XX"),
        (
            lambda: personal_facts(3, seed=0, template="{name} of {street}"),
            "audit.template_placeholders",
            "template",
            "{name} of {street}",
        ),
        (
            lambda: personal_facts(3, seed=0, template="{name} {street} {phone} {age}"),
            "audit.template_placeholders",
            "template",
            "{name} {street} {phone} {age}",
        ),
        (
            lambda: rare_secrets(3, alphabet=WORDS, template="code {secret", rng=rng()),
            "audit.template_placeholders",
            "template",
            "code {secret",
        ),
        (lambda: rare_secrets(9, alphabet=["a", "b"], length=4, rng=rng()), "audit.alphabet_too_small", "alphabet", 2),
        (lambda: rare_secrets(1, alphabet=["a", "a"], length=4, rng=rng()), "audit.alphabet_too_small", "alphabet", 1),
        (lambda: suffixed(9, words=["a", "b"], suffix_words=4, rng=rng()), "audit.words_too_few", "words", 2),
        (lambda: suffixed(9, words=WORDS, prefixes=[], rng=rng()), "audit.prefixes_missing", "prefixes", 0),
        (lambda: toss(personal_facts(2, seed=0), cells=[], rng=rng()), "audit.cells_missing", "cells", 0),
        (lambda: toss(personal_facts(2, seed=0) * 2, cells=CELLS, rng=rng()), "audit.canary_texts_equal", "texts", 2),
        (lambda: Repetition([], 0), "audit.copies_too_few", "copies", 0),
    ],
)
def test_what_makes_no_canaries_is_refused(make, code, name, value):
    with refused(code, name=name, value=value):
        make()


def test_a_locale_that_runs_out_of_facts_is_refused(monkeypatch):
    monkeypatch.setattr("faker.proxy._UNIQUE_ATTEMPTS", 1)
    with refused("audit.facts_exhausted", name="canaries", value=2000):
        personal_facts(2000, seed=0)


@pytest.mark.parametrize("locale", sorted(AVAILABLE_LOCALES))
@pytest.mark.filterwarnings("ignore:fr_QC locale is deprecated")
def test_every_locale_of_faker_has_words_and_facts_or_is_refused_by_name(locale):
    assert len(public_words.public_words(locale)) >= 50
    if locale in ("en_PH", "fil_PH", "tl_PH"):
        with refused("audit.facts_missing", name="locale", value=locale) as error:
            personal_facts(2, locale=locale, seed=0)
        assert "phone_number" in error.value.sentence
    else:
        assert len(personal_facts(2, locale=locale, seed=0)) == 2
