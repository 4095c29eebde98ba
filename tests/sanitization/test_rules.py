"""The rewriter by rules: no target is left in any text, however it is drawn and whatever the text is like."""

from random import Random

import pytest
from support.letters import letter

from lib.generation.engines.base import Sampling
from lib.generation.workflow import run
from lib.private_records.schema import Attribute, Place
from lib.sanitization.annotators import Given
from lib.sanitization.case import Case, Original
from lib.sanitization.leaks import Searched, direct, mentions
from lib.sanitization.rules import LEAK, Rules
from lib.sanitization.sanitize import Sanitizer
from lib.sanitization.schema import edited

WORDS = (
    *(
        "Ada",
        "Oslo",
        "34",
        "$5",
        "14 March 2019",
        "a@b.com",
        "the",
        "and",
        "wrist",
        "Über",
        "東京",
        "مرحبا",
        "👩‍👧",
        "e\u0301",
    ),
    *(
        ".",
        ",",
        ";",
        ":",
        "(",
        ")",
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        "|",
        "-",
        "1.",
        "8.",
        '"',
        "Dear",
        "on",
        "at",
        "in",
        "is",
    ),
)
LABELS = ("", "FIRSTNAME", "CITY", "AGE", "DATE", "EMAIL", "STREET", "BUILDINGNUMBER", "AMOUNT", "TIME", "ZIPCODE")


def odd(seed: int) -> Original:
    """A text of odd pieces, some of which are attributes of odd classes."""
    rng = Random(seed)
    pieces = [rng.choice(WORDS) + rng.choice(["", " ", " "]) for _ in range(rng.randint(1, 60))]
    text, ones = "", []
    for piece in pieces:
        value = piece.strip()
        if value and any(map(str.isalnum, value)) and rng.random() < 0.3:
            place = Place(len(text), len(text) + len(value))
            ones.append(Attribute(f"name_{len(ones)}", value, "text", False, (place,), rng.choice(LABELS)))
        text += piece
    return Original(f"odd-{seed}", text, {"kind": rng.choice(["hospital letter", "x"])}, tuple(ones))


def test_no_target_is_left_in_odd_texts_and_failures_are_rare():
    originals = [odd(seed) for seed in range(400)]
    sanitizer = Sanitizer(Given(), Rules(), "sensitivity")
    outcome = run({one.id: sanitizer.sanitize(one) for one in originals}, None, Sampling())
    for record in outcome.results.values():
        searched = Searched(record.sanitized)
        for one in record.named(record.targets.names):
            assert not direct(mentions(one, record.text), searched), record.id
        assert record.sanitized == edited(record.text, record.edits)
    steps = [failure.step for failure in outcome.failures.values()]
    assert len(outcome.results) + len(steps) == 400 and steps.count("rewrite") < 20


def test_what_is_kept_can_still_be_read():
    sanitizer = Sanitizer(Given(), Rules())
    outcome = run({f"{n}": sanitizer.sanitize(letter(f"{n}")) for n in range(100)}, None, Sampling())
    for record in outcome.results.values():
        searched = Searched(record.sanitized)
        assert all(direct(mentions(one, record.text), searched) for one in record.named(record.targets.keep))


def test_direct_attributes_rank_first():
    case = Case(letter(), 0)
    order = run({"a": Rules().order(case)}, None, Sampling()).results["a"]
    assert order[0] == "full_name" and order.index("phone") < order.index("age") < order.index("attack_time")


def test_a_value_that_cannot_be_hidden_ends_the_record(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Case, "still_told", lambda self, text, names: tuple(names))
    outcome = run({"a": Sanitizer(Given(), Rules()).sanitize(letter())}, None, Sampling())
    assert (outcome.failures["a"].step, set(outcome.failures["a"].reasons)) == ("rewrite", {LEAK})
