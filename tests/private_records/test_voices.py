"""One sentence, told by the person, to the person and about the person."""

from random import Random

import pytest

from lib.private_records.voices import START, tell

TOLD = f"{START}{{i}} {{was}} late, since {{my}} bus had gone, and {{i}} hurt{{s}} {{myself}}. {{we}} lost {{our}} way."
NAMES = ("[FIRSTNAME] [LASTNAME]", "the patient")


@pytest.mark.parametrize(
    ("voice", "sex", "result"),
    [
        ("i", "female", "I was late, since my bus had gone, and I hurt myself. We lost our way."),
        ("you", "male", "You were late, since your bus had gone, and you hurt yourself. You lost your way."),
        ("they", "female", "Ada was late, since her bus had gone, and she hurts herself. They lost their way."),
        ("they", "male", "Ada was late, since his bus had gone, and he hurts himself. They lost their way."),
        ("they", "X", "Ada was late, since their bus had gone, and they hurt themselves. They lost their way."),
    ],
)
def test_words_go_with_the_voice_and_verbs_with_the_word_before_them(voice, sex, result) -> None:
    assert tell(TOLD, voice, sex, ("Ada",), Random(0)) == result


def test_every_mark_is_resolved() -> None:
    marks = "{i} {me} {my} {mine} {myself} {we} {us} {our} {am} {was} {have} {do}{s}{es}"
    assert tell(marks, "i", "male", NAMES, Random(0)) == "I me my mine myself we us our am was have do"


def test_the_first_mention_is_the_full_name_and_a_later_line_may_name_the_person_again() -> None:
    lines = "\n".join(f"{START}{{my}} case: {{i}} {{have}} called." for _ in range(200))
    told = tell(lines, "they", "female", NAMES, Random(1)).split("\n")
    assert told[0] == "[FIRSTNAME] [LASTNAME]'s case: she has called."
    assert set(told[1:]) == {
        "[FIRSTNAME] [LASTNAME]'s case: she has called.",
        "The patient's case: she has called.",
        "Her case: she has called.",
    }


def test_a_sentence_begins_with_a_capital_and_nothing_else_changes() -> None:
    assert tell(f"{START}{{my}} dog. {{i}} ran.\n{START}it {{was}} 7 p.m.", "i", "male", NAMES, Random(0)) == (
        "My dog. I ran.\nIt was 7 p.m."
    )
    assert tell(f"{START}[EMAIL] of {{mine}}", "you", "male", NAMES, Random(0)) == "[EMAIL] of yours"
