"""Canaries with and without a scrubber: what training sees differs, what is asked for does not."""

import re
from pathlib import Path

import numpy as np
import pytest
from support.audit_toys import corpus, plant

from lib.audit.canary_texts import personal_facts
from lib.audit.scrubbed import PERSONAL, ScrubbedCorpus, cleaned, exposed
from lib.audit.target import CanariedCorpus

PLANTED = plant()


def no_digits(text: str) -> str:
    return re.sub(r"\d", "#", text)


def nothing_left(text: str) -> str:
    return "XXXX"


@pytest.fixture
def plain() -> CanariedCorpus:
    return CanariedCorpus(Path(), corpus(10), PLANTED)


def test_training_sees_scrubbed_canaries_and_the_records_as_they_are(plain):
    scrubbed = ScrubbedCorpus.of(plain, no_digits)
    assert scrubbed.train[:10] == plain.train[:10] and scrubbed.train != plain.train
    pairs = list(zip(scrubbed.train[10:], plain.train[10:], strict=True))
    assert all(new.text.reveal() == no_digits(old.text.reveal()) for new, old in pairs)
    assert [(new.id, new.labels) for new, _ in pairs] == [(old.id, old.labels) for _, old in pairs]
    assert scrubbed.planted is PLANTED and scrubbed.shared is plain.shared  # attacks ask for the canaries themselves


def test_what_is_left_and_what_came_back_is_counted(plain):
    inside = [canary for canary in PLANTED.single if canary.kind == PERSONAL and canary.included]
    texts = [f"as {inside[0].parts['name'].reveal()} said", "nothing"]
    bits = {1: np.array([9.0 if canary.included else 1.0 for canary in PLANTED.single]), 8: np.zeros(12)}
    (once, often) = exposed(PLANTED, plain, texts, bits)
    assert (once.copies, once.included, once.left, once.came_back) == (1, len(inside), len(inside), 1)
    assert (once.bits_in, once.bits_out, often.copies) == (9.0, 1.0, 8)
    (once, _) = exposed(PLANTED, ScrubbedCorpus.of(plain, nothing_left), texts, None)
    assert (once.left, once.came_back, once.bits_in) == (0, 1, None)
    (once, _) = exposed(PLANTED, ScrubbedCorpus.of(plain, no_digits), [], None)
    assert once.left == len(inside)  # the names are


def test_a_fact_is_scrubbed_and_its_parts_are_still_looked_for(plain):
    (fact,) = personal_facts(1, seed=3)
    seen = cleaned(fact, ScrubbedCorpus.of(plain, nothing_left))
    assert seen.text.reveal() == "XXXX" and seen.parts == fact.parts
    assert cleaned(fact, plain) == fact
