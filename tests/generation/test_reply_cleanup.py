"""What a model writes around a text is taken off, and the text is kept."""

import pytest

from lib.generation import reply_cleanup
from lib.generation.engines.base import Completion


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ('"The screen is bright."', "The screen is bright."),
        ("“The screen is bright.”", "The screen is bright."),
        ('Sure, here is a rewritten version of the sentence:\n\n"i like it."', "i like it."),
        ("Here's a casual review: I like it.", "I like it."),
        ("Review: I like it.", "I like it."),
        ("**Rewritten review:** I like it.", "I like it."),
        ("1. I like it.\n2. I hate it.", "I like it."),
        ("\n\nI like it.\n\nThis sentence is short.", "I like it."),
        ('"I like it.', "I like it."),
        ("   ", ""),
        ("Sure, here is the sentence:", ""),
        # genuine texts stay as they are
        ('"Great" and "cheap" is what they say.', '"Great" and "cheap" is what they say.'),
        ('They call it "smart".', 'They call it "smart".'),
        ("Pros: cheap. Cons: loud.", "Pros: cheap. Cons: loud."),
        ("here is what i did: i sent it back.", "here is what i did: i sent it back."),
        ("'tis loud, and that's all.", "'tis loud, and that's all."),
        ("Sure it works: every day.", "Sure it works: every day."),
        ("I read a review: it was wrong.", "I read a review: it was wrong."),
        ("5.1 sound is a treat.", "5.1 sound is a treat."),
        ("8) is the smiley i give.", "is the smiley i give."),
    ],
)
def test_a_reply_is_cleaned_and_a_text_kept(reply: str, text: str) -> None:
    assert reply_cleanup.clean(reply, one_line=True) == text


def test_paragraphs_stay_where_they_are_wanted() -> None:
    assert reply_cleanup.clean("Review:\n\nGood.\n\nBad.", one_line=False) == "Good.\n\nBad."


@pytest.mark.parametrize("text", ["\n Good.\nBad.", "Good.\r\nBad.", "Good.\rBad."])
def test_the_first_line_has_ended_and_is_marked(text: str) -> None:
    cut = Completion(text, 9, ended=False)
    assert reply_cleanup.first_line(cut) == Completion("Good.", 9, ended=True, first_line_only=True)
    whole = Completion("Good. ", 9, ended=False)
    assert reply_cleanup.first_line(whole) is whole
