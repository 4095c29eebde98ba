"""Sentences that were copied word for word."""

import numpy as np
import pytest
from support.scripts import SENTENCES, same_sentences

from lib.audit import verbatim
from lib.data.private_text import PrivateText
from lib.data.records import Record

NAMES = [f"word{number}" for number in range(12)]  # so few that texts share passages by chance


def test_a_verbatim_sentence_is_found_whatever_its_case_and_signs():
    real = ["Nice. The battery of this camera lasts for two whole days!", "it is too short"]
    synthetic = [
        "I think the battery of THIS camera lasts for two whole days, really.",
        "The battery of this camera lasts for two days.",
        "it is too short",
    ]
    assert verbatim.verbatim(synthetic, real) == 1
    assert verbatim.verbatim(synthetic, real, min_words=4) == 2


def record(number: int, text: str, user: str | None = None) -> Record:
    return Record(f"r{number}", PrivateText(text), {}, user)


def test_a_unit_counts_once_however_much_of_it_is_copied():
    first, second = "one two three four five six seven eight nine", "ten eleven twelve thirteen fourteen one two three"
    train = [record(0, f"{first}. {second}.", "ann"), record(1, first, "ann"), record(2, "something else", "bob")]
    texts = [f"Well, {first.upper()}!", second, first]
    assert verbatim.copied_units(texts, train, unit="record") == 2
    assert verbatim.copied_units(texts, train, unit="user") == 1
    assert (
        verbatim.copied_units(texts, [record(0, first), record(1, first)], unit="user") == 2
    )  # nobody's: each its own


@pytest.mark.parametrize("passage", ["whole", "sentence", "run"])
def test_whole_texts_sentences_and_long_runs_are_passages(passage: str):
    long = [f"{name}x" for name in NAMES * 2]
    real = {"whole": " ".join(NAMES[:9]), "sentence": f"No. {' '.join(NAMES[:8])}. Yes.", "run": " ".join(long)}[
        passage
    ]
    copy = {"whole": real, "sentence": " ".join(NAMES[:8]), "run": " ".join(long[3:19])}[passage]
    assert verbatim.copied_units([f"and {copy} then"], [record(0, real)], unit="record") == 1
    assert verbatim.copied_units([f"and {copy.rpartition(' ')[0]} then"], [record(0, real)], unit="record") == 0


@pytest.mark.parametrize("unit", ["record", "user"])
def test_a_unit_more_changes_the_count_by_at_most_one(unit: str):
    rng = np.random.default_rng(0)

    def text() -> str:
        return ". ".join(" ".join(rng.choice(NAMES[:3], rng.integers(6, 12))) for _ in range(2))

    counts = []
    for _ in range(60):
        texts = [text() for _ in range(100)]
        train = [record(number, text(), f"u{number % 4}") for number in range(12)]
        without = [one for one in train if (one.user != "u0" if unit == "user" else one.id != "r0")]
        counts.append([verbatim.copied_units(texts, rows, unit=unit) for rows in (without, train)])
    changes = np.diff(counts).ravel()
    assert set(changes) == {0, 1}  # both occur: the property is not empty


@pytest.mark.parametrize("script", SENTENCES)
def test_copies_are_found_in_any_script(script):
    rows = same_sentences(script)
    assert verbatim.verbatim(rows, rows) == 50
    assert verbatim.verbatim([f"{rows[0]} {text}" for text in rows[1:]], rows[40:]) == 10
    assert verbatim.verbatim(rows[:25], rows[25:]) == 0
    train = [record(number, text) for number, text in enumerate(rows)]
    assert verbatim.copied_units(rows[:25], train, unit="record") == 25
