"""Canaries: distinct, reproducible, ordinary records, each in by a fair coin."""

import math
from collections import Counter

import numpy as np
import pytest
from faker import Faker
from faker.providers import BaseProvider
from scipy.stats import binom, chisquare

from lib.audit import canaries
from lib.audit.canaries import (
    PREFIXES,
    WHOLE,
    Repetition,
    insert,
    personal_facts,
    rare_secrets,
    rare_tokens,
    suffixed,
    toss,
)
from lib.common.errors import DoppelError
from lib.data.private_text import PrivateText
from lib.data.public_words import public_words
from lib.data.records import Record, check_labels, from_json

CELLS = [{"stars": "1"}, {"stars": "5"}]
WORDS = [f"word{i}" for i in range(50)]


def rng(seed=0):
    return np.random.default_rng(seed)


def revealed(made):
    return [{name: part.reveal() for name, part in one.parts.items()} for one in made]


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP"])
def test_personal_facts_are_distinct_in_every_part_and_stand_in_the_text(locale):
    made = personal_facts(150, locale=locale, seed=0)
    parts = revealed(made)
    for part in ("name", "street", "phone", WHOLE):
        assert len({one[part] for one in parts}) == 150
        assert all(one[part] and one[part] in m.text.reveal() for one, m in zip(parts, made, strict=True))
    assert all(set(one) == {"name", "street", "phone", WHOLE} for one in parts)


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
    monkeypatch.setattr(canaries, "Faker", lambda _: fake)
    parts = revealed(personal_facts(40, seed=0))
    assert [len({one[part] for one in parts}) for part in ("name", "street", "phone")] == [40] * 3
    assert all("\n" not in one[WHOLE] for one in parts)


def test_a_seed_repeats_personal_facts_and_nothing_touches_global_randomness():
    before = np.random.get_state()[1].tolist()
    assert personal_facts(5, seed=3) == personal_facts(5, seed=3) != personal_facts(5, seed=4)
    assert np.random.get_state()[1].tolist() == before


def test_secrets_are_distinct_and_uniform_over_the_alphabet():
    made = rare_secrets(400, alphabet=["a", "b", "c", "d"], length=7, separator="", rng=rng())
    secrets = [one["secret"] for one in revealed(made)]
    assert len(set(secrets)) == len(secrets) == 400 and {len(s) for s in secrets} == {7}
    assert chisquare(list(Counter("".join(secrets)).values())).pvalue > 1e-3
    assert all(s in one.text.reveal() for s, one in zip(secrets, made, strict=True))


def test_suffixed_canaries_begin_like_the_corpus_and_end_at_random():
    sentences = ["The  sound is fine and the price is even finer than that", "It broke"]
    made = suffixed(30, prefixes=sentences, words=WORDS, prefix_words=5, suffix_words=4, rng=rng())
    ends = [one["suffix"] for one in revealed(made)]
    assert len(set(ends)) == 30 and all(len(end.split()) == 4 and set(end.split()) <= set(WORDS) for end in ends)
    begins = {one.text.reveal().removesuffix(" " + end) for one, end in zip(made, ends, strict=True)}
    assert begins == {"The sound is fine and", "It broke"}
    assert {m.text.reveal().rsplit(" ", 12)[0] for m in suffixed(200, words=WORDS, rng=rng())} == set(PREFIXES)


def test_the_public_words_of_a_language():
    assert len(public_words()) > 900 and len(set(public_words())) == len(public_words())
    assert public_words("de_DE") != public_words()


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
    coins = np.array([c.included for c in drawn])
    ones = np.array([c.record.labels["stars"] == "1" for c in drawn])
    for count in (coins.sum(), ones.sum(), (coins ^ ones).sum(), (coins[1:] ^ coins[:-1]).sum()):
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
    with pytest.raises(DoppelError, match=f"{len(inside)} canaries have the id of a record"):
        insert(insert(corpus, drawn), drawn)


@pytest.mark.parametrize("copies", [1, 10])
def test_copies_are_records_of_their_own(copies):
    drawn = toss(personal_facts(30, seed=0), cells=[{}], rng=rng())
    repeated = Repetition(drawn, copies).insert([])
    texts = Counter(r.text for r in repeated)
    assert texts == {c.record.text: copies for c in drawn if c.included}
    assert len({r.id for r in repeated}) == len(repeated)


def test_a_group_is_promised_less():
    """Chains of k neighbours: k times epsilon, delta summed over the chain."""
    epsilon, delta, k = 0.5, 1e-6, 10
    summed = sum(delta * math.exp(i * epsilon) for i in range(k))
    assert Repetition([], k).group_claim(epsilon, delta) == (k * epsilon, pytest.approx(summed))
    assert Repetition([], 1).group_claim(epsilon, delta) == (epsilon, pytest.approx(delta))
    assert Repetition([], 5).group_claim(0.0, 0.01) == (0.0, 0.05)
    assert Repetition([], 100).group_claim(8.0, 1e-5) == (800.0, 1.0)
    assert Repetition([], 100).group_claim(8.0, 0.0) == (800.0, 0.0)
    assert Repetition([], 10).unit == "a group of 10 identical records" and Repetition([], 1).unit == "one record"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: personal_facts(3, locale="xx_XX", seed=0), "xx_XX"),
        (lambda: public_words("xx_XX"), "xx_XX"),
        (lambda: personal_facts(3, seed=0, template="{name} of {street}"), "{phone}"),
        (lambda: personal_facts(3, seed=0, template="{name} {street} {phone} {age}"), "nothing else"),
        (lambda: rare_secrets(3, alphabet=WORDS, template="code {secret", rng=rng()), "template"),
        (lambda: rare_secrets(9, alphabet=["a", "b"], length=4, rng=rng()), "2 symbols at length 4"),
        (lambda: rare_secrets(1, alphabet=["a", "a"], length=4, rng=rng()), "1 symbols"),
        (lambda: suffixed(9, words=["a", "b"], suffix_words=4, rng=rng()), "suffix_words = 4"),
        (lambda: suffixed(9, words=WORDS, prefixes=[], rng=rng()), "no prefix"),
        (lambda: toss(personal_facts(2, seed=0), cells=[], rng=rng()), "no cell"),
        (lambda: toss(personal_facts(2, seed=0) * 2, cells=CELLS, rng=rng()), "same text"),
        (lambda: Repetition([], 0), "copies = 0"),
    ],
)
def test_what_makes_no_canaries_is_refused(make, reason):
    with pytest.raises(DoppelError, match=reason):
        make()


def test_a_locale_that_runs_out_is_told(monkeypatch):
    monkeypatch.setattr("faker.proxy._UNIQUE_ATTEMPTS", 1)
    with pytest.raises(DoppelError, match="too few different facts"):
        personal_facts(2000, seed=0)
