"""Questions at the terminal: what Enter takes, what is asked again, and what happens when nobody answers."""

from collections.abc import Callable, Iterator

import pytest
from support.errors import refused

from lib.cli.dialog import Dialog
from lib.common.errors import DoppelError

Answers = Callable[..., list[str]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Gives the answers that somebody types, one after the other; returns the questions that were asked."""

    def typed(*lines: str) -> list[str]:
        asked, left = [], iter(lines)

        def line(question: str, left: Iterator[str] = left) -> str:
            asked.append(question)
            try:
                return next(left)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", line)
        return asked

    return typed


def number(text: str) -> int:
    if not text.isdigit():
        raise DoppelError("cli.no_number", f"{text}: no number")
    return int(text)


def test_enter_takes_what_is_proposed_and_a_bad_answer_is_asked_again(answers: Answers, capsys) -> None:
    asked = answers("", "many", " 7 ")
    dialog = Dialog(accepts=False)
    assert dialog.ask("how many", "3", number) == 3
    assert dialog.ask("how many", "3", number) == 7
    assert asked == ["how many [3]: "] * 3 and "many: no number" in capsys.readouterr().out


def test_a_question_without_a_proposal_needs_an_answer(answers: Answers) -> None:
    asked = answers("", "x")
    assert Dialog(accepts=False).ask("which", None, str) == "x" and asked == ["which: "] * 2


def test_what_is_proposed_cannot_steer_the_terminal(answers: Answers) -> None:
    asked = answers("")
    assert Dialog(accepts=False).ask("which", "a\x1b[8m", str) == "a\x1b[8m"
    assert "\x1b" not in asked[0]


def test_yes_and_no_in_words_or_letters(answers: Answers) -> None:
    dialog = Dialog(accepts=False)
    asked = answers("", "maybe", " YES", "n")
    assert dialog.agrees("sure") is True and dialog.agrees("sure") is False
    assert asked == ["sure? (yes/no): "] * 4


def test_an_input_that_ends_is_refused(answers: Answers) -> None:
    answers()
    with refused("cli.input_ended"):
        Dialog(accepts=False).ask("which", "a", str)
    with refused("cli.input_ended"):
        Dialog(accepts=False).agrees("sure")


def test_with_yes_nothing_is_asked_and_nothing_is_guessed(answers: Answers) -> None:
    asked = answers("7")
    dialog = Dialog(accepts=True)
    assert dialog.ask("how many", "3", number) == 3 and dialog.agrees("sure") and asked == []
    with refused("cli.no_number"):
        dialog.ask("how many", "many", number)
    with refused("cli.no_guess"):
        dialog.ask("how many", None, number)
