"""Words in place of others: articles, prepositions, capitals, and what is left around something that is taken out."""

import pytest

from lib.sanitization.schema import Edit, edited
from lib.sanitization.wording import Site, closed, fitted


def site(text: str, piece: str) -> Site:
    start = text.index(piece)
    return Site(text, start, start + len(piece))


@pytest.mark.parametrize(
    ("text", "piece", "words", "after"),
    [
        ("He fell on 3 May 2019.", "3 May 2019", "spring 2019", "He fell in spring 2019."),
        ("On 3 May 2019 he fell.", "3 May 2019", "spring 2019", "In spring 2019 he fell."),
        ("He left at 14:30.", "14:30", "the afternoon", "He left in the afternoon."),
        ("All of it was in May.", "May", "at some point", "All of it was at some point."),
        ("the left wrist", "left wrist", "some bone", "the bone"),
        ("my left wrist", "left wrist", "some bone", "my bone"),
        ("She is a Senior Officer.", "Senior Officer", "an employee", "She is an employee."),
        ("It is an old bee.", "old bee", "some insect", "It is an insect."),
        ("It was the bee.", "bee", "something", "It was something."),
        ("Oslo is nice.", "Oslo", "a town", "A town is nice."),
        ("Yes. Oslo is nice.", "Oslo", "a town", "Yes. A town is nice."),
        ("- oslo\n", "oslo", "a town", "- a town\n"),
        ("I love Oslo.", "Oslo", "a town", "I love a town."),
    ],
)
def test_words_are_fitted_into_their_sentence(text, piece, words, after):
    assert edited(text, [fitted(site(text, piece), words)]) == after


@pytest.mark.parametrize(
    ("text", "piece", "after"),
    [
        ("She paid $5 in May.", " in May", "She paid $5."),
        ("Hello. It broke. Bye.", "It broke. ", "Hello. Bye."),
        ("Hello. It broke.", "It broke.", "Hello."),
        ("a, b, c", ", b", "a, c"),
        ("Well, in May she left.", "in May ", "Well, she left."),
        ("In May she left.", "In May ", "She left."),
        ("an old car", "old ", "a car"),
        ("one two  three", "two", "one three"),
    ],
)
def test_what_is_left_is_closed(text, piece, after):
    start = text.index(piece)
    assert edited(text, [closed(text, Edit(start, start + len(piece), ""))]) == after


def test_a_field_of_a_form_is_known():
    for text in ("Age: 34", "- Age: 34\n", "Name: Ada | Age: 34 | x", "Age | 34", "All is well. Age: 34"):
        assert site(text, "34").field, text
    for text in ("Age: 34 years", "I am 34", "Note: I am 34"):
        assert not site(text, "34").field, text


def test_a_piece_alone_on_its_line_and_the_number_of_an_item_are_known():
    assert site("Bye,\nAda\n", "Ada").alone and site("* Ada.", "Ada").alone
    assert not site("Bye, Ada\n", "Ada").alone
    assert site("1. one\n2. two", "2").numbers_item and not site("in 2. Then", "2").numbers_item
