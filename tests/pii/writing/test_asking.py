"""Texts that a model writes: taken, asked for again, or counted; and asked for once, however often a run is killed."""

from collections import Counter
from pathlib import Path

import pytest
from support.errors import refused
from support.pii_writing import Scripted, plan_of, real
from support.project import ROOT

from lib.generation.engines.base import Sampling
from lib.pii.classes import classes
from lib.pii.detectors.rules import Rules
from lib.pii.slots import read_brackets
from lib.pii.writing import asking
from lib.pii.writing.asking import Written, text_id
from lib.pii.writing.prompting import FILE, Asked, Prompts
from lib.pii.writing.writers import BRACKETS

PROMPTS, PLAN = Prompts(ROOT / FILE, real()), plan_of(4)
TABLE = read_brackets(ROOT / BRACKETS, classes())


@pytest.fixture(autouse=True)
def _all_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request allows the classes of the replies below, whatever it drew."""
    request = Prompts.request

    def asked(self: Prompts, *args: object) -> Asked:
        return request(self, *args)._replace(classes=frozenset({"FIRSTNAME", "LASTNAME", "EMAIL"}))

    monkeypatch.setattr(Prompts, "request", asked)


def ask(model: Scripted, folder: Path, attempts: int = 3) -> Written:
    how = {"detector": Rules("en_US"), "brackets": TABLE, "max_attempts": attempts, "folder": folder}
    return asking.ask(model, PROMPTS, PLAN, Sampling(max_new_tokens=99, seed=5), **how)


def good(number: int) -> str:
    return f"Text number {number} is by [FIRSTNAME] and sent to [EMAIL_2]."


def test_a_text_that_cannot_be_filled_is_asked_for_again_and_counted(tmp_path: Path) -> None:
    replies = [good(0), "Dear [3:00 PM], I am [FIRSTNAME].", "I live in [CITY].", "Mail jo@acme.org, [FIRSTNAME]!"]
    again = ["Sure, here is the text: [FIRSTNAME]", "[email] is mine, [Your Name].", good(3)]
    model = Scripted(*replies, *again)
    made = ask(model, tmp_path)
    assert made.rejected == {"unresolved": 1, "unasked class": 1, "outside slots: EMAIL": 1}
    texts = [text.text for text in made.texts]
    assert texts == [good(0), "[FIRSTNAME]", "[EMAIL] is mine, [FIRSTNAME] [LASTNAME].", good(3)]
    assert made.mapped == 2 and "4 of 4 texts; 2 brackets are aliases" in str(made)
    assert made.texts[0].template == text_id(good(0)) and len({seed for _, seed in model.asked}) == 2


def test_a_text_that_stays_wrong_is_missing(tmp_path: Path) -> None:
    made = ask(Scripted(*[good(0), "no slot at all"] * 2, *["no slot at all"] * 4), tmp_path)
    assert [text is None for text in made.texts] == [False, True, False, True]
    assert made.rejected == Counter({"no slot": 6}) and str(made).startswith("2 of 4 texts; rejected: 6 no slot")


def test_a_copy_of_the_example_is_not_taken(tmp_path: Path) -> None:
    example = PROMPTS.request(PLAN, PLAN.task(0)).example
    made = ask(Scripted(example, *map(good, range(1, 4)), good(0)), tmp_path)
    assert made.rejected == {"copy of the example": 1}


def test_where_nothing_can_be_taken_the_stage_ends(tmp_path: Path) -> None:
    with refused("pii.nothing_written", value=4):
        ask(Scripted(*["[EMAIL"] * 4), tmp_path, attempts=1).require()


def test_what_was_taken_is_not_asked_for_again_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SIZE", 2)
    model = Scripted(good(0), good(1), good(2))  # ends within the second part
    with pytest.raises(IndexError):
        ask(model, tmp_path)
    again = Scripted(good(2), good(3))
    made = ask(again, tmp_path)
    assert [text.text for text in made.texts] == [good(number) for number in range(4)] and again.usage.requests == 2
    assert ask(Scripted(), tmp_path) == made
