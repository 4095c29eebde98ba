"""Completions that are no records are rejected, each with its reason."""

import pytest

from lib.generation.engines.base import Completion
from lib.generation.rejection import plain, rejection


def written(text: str, ended: bool = True) -> Completion:
    return Completion(text, 9, ended)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Works well, really well.", None),
        ("Very, very, very good!!!!!!", None),
        ("A < b and b > c | d", None),
        ("", "empty"),
        (" \n", "empty"),
        ("12:30, 5/5", "no letters"),
        ("fine<|pad|>", "markup"),
        ("Sure [/INST] it works", "markup"),
        ("<|eot_id|>", "markup"),
        ("caf\ufffd", "broken characters"),
        ("Write  a GLAD review: it is good", "echo of the prompt"),
        ("no " * 6 + "thanks", "repetitive"),
        ("good good good good good thanks", None),
        ("hahahahahahahahahahahahahahahahaha", "repetitive"),
        ("it is good and " * 6, "repetitive"),
        ("这很好吃" * 8, "repetitive"),
        ("哈哈哈哈哈哈，真好吃！", None),
        ("今天和朋友一起去了这家新开的餐厅，菜的味道和服务都很不错，下次还会再来。", None),
        (
            "It is good. " + "I like the sound and the size and the price of it, and the box it came in was good too.",
            None,
        ),
    ],
)
def test_unusable_completions_are_rejected_with_a_reason(text, reason):
    assert rejection(written(text), "Write a glad review:", ["<|pad|>"]) == reason
    assert rejection(written(text, ended=False), "Write a glad review:", []) == "truncated"


def test_a_prompt_without_spaces_is_recognised():
    assert rejection(written("写一条餐厅的差评：太难吃了"), "写一条餐厅的差评：", []) == "echo of the prompt"
    assert rejection(written("差评：太难吃了"), "差评：", []) is None


def test_a_prompt_of_one_or_two_words_may_occur_in_the_text():
    assert rejection(written("My review: good"), "Review:", []) is None


def test_a_refusal_comes_before_every_other_reason():
    assert rejection(Completion("", 0, False, refused=True), "", []) == "refusal"


def test_texts_that_agree_in_letters_and_digits_are_the_same():
    assert plain("It's GOOD, 5/5!") == plain("its good 55") == "itsgood55"
    assert plain("Straße") == plain("STRASSE") and plain("好，吃") == "好吃" and plain("?!") == ""
