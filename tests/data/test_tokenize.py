"""Words and sentences: of scripts with spaces as the standard library finds them, of others by character."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripts import SENTENCES, same_sentences

from lib.data.tokenize import (
    amount,
    beginning,
    count,
    has_unspaced,
    is_finished,
    joined,
    sentences,
    spaced,
    whole_sentences,
    words,
)

EUROPEAN = st.text(
    st.one_of(
        st.characters(max_codepoint=0x58F),  # Latin, Greek, Cyrillic and their marks
        st.characters(min_codepoint=0x1E00, max_codepoint=0x206F),
        st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),  # Korean
        st.sampled_from("ㅋㅎ🙂👍🏽€™ .!?'’-\n"),
    )
)


@given(EUROPEAN)
def test_scripts_with_spaces_are_split_as_the_standard_library_does(text):
    assert words(text) == re.findall(r"\w+", text.casefold())
    assert words(text, fold=False) == re.findall(r"\w+", text)
    assert (count(text), spaced(text), has_unspaced(text)) == (len(text.split()), text, False)
    assert [word[0] for word in joined(text)] == re.findall(r"\w+(?:[-'’./@]\w+)*", text)
    assert sentences(text) == [own for part in re.split(r"(?<=[.!?…])\s+|\n+", text) if (own := words(part))]
    ends = [match.end() for match in re.finditer(r"[.!?][\"'”’)\]]*(?=\s|$)", text)]
    assert whole_sentences(text) == (text[: ends[-1]] if ends else "")
    assert is_finished(text) == bool(re.search(r"[.!?…)\]\"'”’»]\s*$", text))


def test_words_and_sentences():
    assert words("It's GOOD, isn't it?") == ["it", "s", "good", "isn", "t", "it"]
    assert sentences("One two. Three!\nfour 5.6 ... \n\n?") == [["one", "two"], ["three"], ["four", "5", "6"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("这家店，很好！", "这 家 店 很 好"),
        ("我的iPhone 15坏了", "我 的 iphone 15 坏 了"),
        ("ＡＢＣ１２と半角ｶﾞ", "abc12 と 半 角 ガ"),  # wide and narrow forms
        ("コーヒー々", "コ ー ヒ ー 々"),
        ("ดีมากครับ", "ดี ม า ก ค รั บ"),
        ("ດີຫຼາຍ", "ດີ ຫຼ າ ຍ"),
        ("ភាសាខ្មែរ។", "ភា សា ខ្ មែ រ"),
        ("မြန်မာ", "မြ န် မာ"),
        ("नमस्ते, दुनिया।", "नमस्ते दुनिया"),  # spaces, and vowels as marks
        ("سلامٌ عليكم", "سلامٌ عليكم"),
        ("안녕하세요 반가워요ㅋㅋ", "안녕하세요 반가워요ㅋㅋ"),
        ("🙂👍🏽!?", ""),
    ],
)
def test_a_character_is_a_word_where_words_touch(text, expected):
    assert words(text) == expected.split()
    assert count(text) == len(expected.split()) or not expected


@pytest.mark.parametrize(
    ("text", "lengths", "whole"),
    [
        ("很好。他说：“不错！”再来？好", [2, 4, 2, 1], "很好。他说：“不错！”再来？"),
        ("「いいね。」と言った", [3, 4], "「いいね。」"),
        ("यह है। वह नहीं", [2, 2], "यह है।"),
        ("یہ ہے۔وہ نہیں", [2, 2], "یہ ہے۔"),
        ("ខ្មែរ។ខ្មែរ", [3, 3], "ខ្មែរ។"),
        ("ดีมาก ดี ดีมาก", [4, 1, 4], "ดีมาก ดี"),
        ("ต่าง ๆ ราคา 500 บาท", [12], ""),  # white space around a sign of repetition and a number
    ],
)
def test_a_sentence_ends_at_the_marks_of_its_script(text, lengths, whole):
    assert [len(sentence) for sentence in sentences(text)] == lengths
    assert whole_sentences(text) == whole


@pytest.mark.parametrize("script", SENTENCES)
def test_the_same_sentence_says_as_much_in_any_script(script):
    assert all(8 <= amount(words(text)) < 16 for text in same_sentences(script))


@pytest.mark.parametrize("text", ["好。", "「好」", "ดีมาก", "है।", "好）"])
def test_a_text_is_finished_by_the_marks_of_its_script(text):
    assert is_finished(text) and not is_finished("好" if text[-1] != "ก" else "good")


def test_a_text_begins_with_its_first_words_or_characters():
    assert beginning("It's  a mid-range phone.", 3) == "It's a mid-range"
    assert beginning("我的iPhone，坏了。", 4) == "我的iPhone，坏"
    assert beginning("ดีมาก", 9) == "ดีมาก" and beginning("", 2) == ""


def test_words_are_counted_as_people_do():
    assert count("It's a mid-range phone - good.") == 6
    assert count("我的iPhone坏了 —— it's ok。") == 7
