"""A token has the shape of the word that it begins in."""

import pytest

from lib.pii.detectors.shapes import SHAPES, shapes
from lib.pii.words import words


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("may", "small"), ("May", "capital first"), ("A", "capital first"), ("MAY", "capitals"), ("McKay", "mixed"),
        ("iPhone", "mixed"), ("123", "digits"), ("a1", "small"), ("A1B2", "capitals"), (",", "other"), ("東", "other"),
        ("Élan", "capital first"), ("straße", "small"), ("🙂", "other"),
    ],
)  # fmt: skip
def test_shape_of_a_word(word: str, shape: str) -> None:
    assert [SHAPES[number] for number in shapes(word, [(0, len(word))])] == [shape]


def test_each_token_has_that_of_its_own_word() -> None:
    text = "In May  JOHNSON's 12 e-mails"
    own = {text[start:end]: shapes(text, [(start, end)])[0] for start, end in words(text)}
    pieces = [(0, 2), (3, 4), (4, 6), (8, 12), (12, 15), (15, 16), (16, 17), (18, 20), (21, 22), (22, 23), (23, 28)]
    expected = ["In", "May", "May", "JOHNSON", "JOHNSON", "'", "s", "12", "e", "-", "mails"]
    assert shapes(text, pieces) == [own[word] for word in expected]
    assert shapes("", []) == [] and shapes("a ", [(0, 1), (1, 2)]) == [SHAPES.index("small"), SHAPES.index("other")]
