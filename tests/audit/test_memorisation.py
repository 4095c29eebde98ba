"""Copying without canaries: difflib and loops over all pairs as oracles."""

import signal
from difflib import SequenceMatcher

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.audit.memorisation import Copying, PersonalData, copying, longest_shared, luhn, personal_data, personal_strings
from lib.data.near_duplicates import shingles, with_near_duplicate
from lib.data.tokenize import words

WORDS = st.lists(st.sampled_from(["the", "Phone", "is", "good,", "bad", "and"]), max_size=12).map(" ".join)
TEXTS = st.lists(WORDS, max_size=8)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS)
def test_the_longest_shared_run_is_difflibs(texts, corpus):
    def longest(text, other):
        matcher = SequenceMatcher(None, words(text), words(other), autojunk=False)
        return matcher.find_longest_match().size

    assert longest_shared(texts, corpus).tolist() == [max((longest(t, o) for o in corpus), default=0) for t in texts]


def test_a_long_copy_in_a_large_corpus_is_found():
    rng = np.random.default_rng(0)
    corpus = [" ".join(f"w{i}" for i in rng.integers(400, size=30)) for _ in range(800)]
    stolen = corpus[500].split()[4:25]
    texts = [" ".join(["x", *stolen, "y"]), "nothing of it", corpus[7]]
    assert longest_shared(texts, corpus).tolist() == [21, 0, 30]


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([0.3, 0.5, 0.6, 1.0]))
def test_near_duplicates_of_a_corpus_are_those_of_all_pairs(texts, corpus, similarity):
    def near(a, b):
        return bool(a and b) and len(a & b) / len(a | b) >= similarity

    sets, others = [shingles(t) for t in texts], [shingles(t) for t in corpus]
    oracle = [any(near(a, b) for b in others) for a in sets]
    assert with_near_duplicate(texts, corpus, similarity).tolist() == oracle


def test_a_copier_stands_out_from_its_baseline():
    rng = np.random.default_rng(1)
    drawn = [" ".join(f"w{i}" for i in rng.integers(60, size=15)) for _ in range(390)]
    train, held_out = drawn[:150], drawn[150:300]
    synthetic = drawn[300:] + train[:10]
    copied, chance = copying(synthetic, train), copying(synthetic, held_out)
    assert copied.texts == 100 and copied.near_duplicates == 10 and chance.near_duplicates == 0
    assert copied.longest_max == copied.longest_p99 == 15 > chance.longest_max
    assert copying([], train) == Copying(0, 0, 0.0, 0.0, 0)


@pytest.mark.parametrize(
    ("kind", "held", "not_held"),
    [
        ("email", "Write to ann.lee+x@mail.example.co.uk.", "at home @ 5 and a@b"),
        ("url", "See https://example.org/a?b=1, and more", "www without an end"),
        ("url", "(www.example.org)", "http://"),
        ("phone", "call (03824) 219489 now", "I paid 20 for 2 of 3"),
        ("phone", "+1-748-892-4115x781", "code 12345678901234567890"),
        ("card", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("card", "paid with 5500005555555559.", "55000055555555591234567"),
    ],
)
def test_personal_data_by_pattern(kind, held, not_held):
    rows = {row.kind: row for row in personal_data([held, not_held], [], [])}
    assert rows[kind] == PersonalData(kind, 1, 1, 0, 0)
    if kind == "card":
        assert rows["phone"].found == 0  # a card is not a phone as well


def test_personal_data_is_compared_with_train_and_held_out():
    synthetic = ["Call 555-234-5678", "or 555 234 5678 today", "mail me: A@Example.org", "b@example.org"]
    train, held_out = ["my phone: (555) 234-5678", "a@example.org."], ["a@example.org", "555-999-0000"]
    rows = {row.kind: row for row in personal_data(synthetic, train, held_out)}
    assert rows["phone"] == PersonalData("phone", 2, 1, 1, 0)
    assert rows["email"] == PersonalData("email", 2, 2, 1, 1)
    assert not any("555" in repr(row) or "example" in repr(row) for row in rows.values())


def test_the_same_number_or_address_is_spelled_the_same():
    for kind, same, other in (
        ("email", ("Ann.Lee@Example.org", "ann.lee@example.org--"), "annlee@example.org"),
        ("url", ("https://a.org/x-y", "HTTPS://A.org/x-y/."), "https://a.org/xy"),
        ("phone", ("+1 (748) 892-4115x781", "1.748.892.4115x781"), "1.748.892.4115"),
        ("card", ("4111 1111 1111 1111", "4111-1111-1111-1111"), "5500005555555559"),
    ):
        first, again, different = (personal_strings(kind, text) for text in (*same, other))
        assert len(first) == 1 and first == again != different != set(), kind


def test_the_checksum_of_a_card():
    assert [luhn(number) for number in ("4111111111111111", "79927398713", "79927398710", "0")] == [
        True,
        True,
        False,
        True,
    ]


def test_no_text_makes_a_pattern_slow():
    """Quadratic matching would take hours of such texts: an alarm ends it."""

    def too_long(*_: object) -> None:
        raise TimeoutError("a pattern backtracks over a whole text")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)
    try:
        for unit in ("1 ", "a@", "www.", "1-", "a.", "(1"):
            found = {row.kind: row.found for row in personal_data([unit * 100_000], [], [])}
            assert found["email"] == found["card"] == 0, unit
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_runs_of_characters_are_shared():
    corpus = ["服务员的态度很好，房间也很干净。", "nothing of it"]
    assert longest_shared(["他说房间也很干净！", "iPhone很好", "干"], corpus).tolist() == [6, 2, 1]


@pytest.mark.parametrize(
    ("kind", "text", "strings"),
    [
        ("email", "请发到ann@example.org谢谢", {"ann@example.org"}),
        ("phone", "電話０９０-1234-5678まで", {"09012345678"}),
        ("url", "ดูที่https://example.org/aครับ", {"https://example.org/a"}),
    ],
)
def test_personal_data_is_seen_between_characters(kind, text, strings):
    assert personal_strings(kind, text) == strings
