"""Messy text keeps its slots, whatever happens around them."""

from random import Random

import pytest

from lib.pii.classes import classes
from lib.pii.slots import parse
from lib.pii.writing.typing_errors import messy

TEXT = "Hello there, I'm [FIRSTNAME_2]. Please write: [EMAIL], or don't. Phone: [PHONENUMBER]\nIt is about [sic] that."


def errors(text: str, count: int = 300) -> list[str]:
    return [messy(parse(text, classes()), Random(seed)) for seed in range(count)]


def test_slots_stay_the_same_and_in_order() -> None:
    parsed = parse(TEXT, classes())
    made = errors(TEXT)
    assert all(parse(text, classes()).slots == parsed.slots and not parse(text, classes()).faults for text in made)
    assert sum(text != TEXT for text in made) > 200 and len(set(made)) > 100


def test_all_kinds_of_errors_occur() -> None:
    made = errors(TEXT)
    for sign in ("Phone:[PHONENUMBER]", "dont", ".\n", "  ", "hello there, i'm ", "please write"):
        assert any(sign in text for text in made), sign
    assert any("Hello" in text and "there" not in text for text in made)  # a slip within a word


def test_brackets_that_are_text_stay() -> None:
    assert all("about [sic] that" in text for text in errors(TEXT))


@pytest.mark.parametrize(
    "text", ["", "[EMAIL]", "[EMAIL][PHONENUMBER]", "東京の[FIRSTNAME]さん", "🙂 [CITY]", "\t\r\n[CITY]\u200b"]
)
def test_what_has_no_words_is_left_alone_or_stays_whole(text: str) -> None:
    slots = parse(text, classes()).slots
    assert all(parse(made, classes()).slots == slots for made in errors(text, 30))
