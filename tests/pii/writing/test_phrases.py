"""Braces of a phrase: what each form writes, and what is refused."""

from datetime import date
from random import Random

import pytest
from support.errors import refused

from lib.pii.values import Values
from lib.pii.writing.phrases import Phrase, Writer, read, references

VALUES = Values(3, "en_US", date(2026, 1, 31))


def write(source: str, seed: int = 0, **lists: list[str]) -> str:
    phrases = {name: [read(text, "x") for text in texts] for name, texts in lists.items()}
    return Writer(phrases, [], Random(seed), VALUES).write(read(source, "x"))


def several(source: str, **lists: list[str]) -> set[str]:
    return {write(source, seed, **lists) for seed in range(40)}


def test_alternatives_may_be_empty_and_nested() -> None:
    assert several("{Hi|Hello {you|there}|}!") == {"Hi!", "Hello you!", "Hello there!", "!"}


def test_slots_and_brackets_that_are_text_stay() -> None:
    assert write("{[EMAIL]|[EMAIL]} [sic] [1, 2]") == "[EMAIL] [sic] [1, 2]"


def test_a_list_repeats_nothing_while_there_is_more() -> None:
    for seed in range(20):
        assert set(write("{w} {w} {w}", seed, w=["a", "b", "c"]).split()) == {"a", "b", "c"}
    assert several("{w} {w}", w=["a"]) == {"a a"}


def test_several_of_a_list_come_in_its_order() -> None:
    assert several("{w*0-2}", w=["a", "b"]) == {"", "a", "b", "a b"}
    assert write("{form*3-3}", form=["A: 1", "B: 2", "C: 3"]) == "A: 1\nB: 2\nC: 3"


def test_what_is_drawn_once_reads_alike_everywhere() -> None:
    assert all(len(set(write("{!w} {!w} {!w}", seed, w=["a", "b", "c"]).split())) == 1 for seed in range(20))


def test_words_agree_with_the_person() -> None:
    for number in (1, 2, 3, 4):
        expected = "she" if VALUES.person(number).female else "he"
        assert write(f"{{{number}:he/she}}") == expected
    assert {VALUES.person(number).female for number in range(1, 5)} == {True, False}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{a} officer", "an officer"),
        ("{A} man", "A man"),
        ("{a} university", "a university"),
        ("{a} uninvited guest", "an uninvited guest"),
        ("{a} 8-year-old", "an 8-year-old"),
        ("{a} 18th", "an 18th"),
        ("{a} 180", "a 180"),
        ("{a} 12th", "a 12th"),
        ("{a} one-off", "a one-off"),
    ],
)
def test_an_article_goes_with_the_sound_of_what_follows(text: str, expected: str) -> None:
    assert write(text) == expected


def test_an_article_goes_with_a_value_that_only_the_record_has() -> None:
    articles = set()
    for seed in range(30):
        values = Values(seed, "en_US", date(2026, 1, 31))
        text = Writer({}, [], Random(0), values).write(read("{a} [AGE]-year-old", "x"))
        age = values.value("AGE", 1)
        assert text == f"a{'n' * (age[0] == '8' or age in ('11', '18'))} [AGE]-year-old"
        articles.add(text)
    assert len(articles) == 2


def test_numbers_of_things() -> None:
    text = write("{#AA-999}/7")
    assert text[:2].isalpha() and text[:2].isupper() and text[2] == "-" and text[3:6].isdigit() and text[6:] == "/7"


def test_an_empty_part_leaves_no_blanks_and_lines_behind() -> None:
    assert write("a {|}  b.\n\n{|}\n\n{|}c {|}\n") == "a b.\n\nc"


def test_references_are_found_at_any_depth() -> None:
    phrase: Phrase = read("{a|{b*1-2} {x|{!c} {d}}}", "x")
    assert sorted(references(phrase)) == ["b", "c", "d"]


@pytest.mark.parametrize("source", ["{", "a}", "{a|b", "{}", "{Name}", "{w*2-1}", "{1:he}", "{#}", "{a b}"])
def test_a_brace_of_no_form_is_refused(source: str) -> None:
    with refused("pii.phrase"):
        read(source, "x")
