"""How the word of a token is written, in capitals or not: what an encoder of small letters alone cannot see."""

from collections.abc import Sequence

from lib.pii.words import Offset, words

SHAPES = ("other", "small", "capital first", "capitals", "mixed", "digits")
CASED = ("capital first", "capitals", "mixed")  # those that become small where nobody writes capitals


def shapes(text: str, offsets: Sequence[Offset]) -> list[int]:
    """The shape of the word that each token begins in, as its place in `SHAPES`.

    Args:
        text: that was tokenized.
        offsets: of the tokens, none starting before the one before it.
    """
    found: list[int] = []
    spans = words(text)
    shape_of: dict[int, int] = {}
    current = 0
    for start, _ in offsets:
        while current < len(spans) and spans[current][1] <= start:
            current += 1
        if current not in shape_of:
            shape_of[current] = SHAPES.index(_shape(text[slice(*spans[current])]) if current < len(spans) else "other")
        found.append(shape_of[current])
    return found


def _shape(word: str) -> str:
    letters = [letter for letter in word if letter.lower() != letter.upper()]
    if not letters:
        return "digits" if any(map(str.isdecimal, word)) else "other"
    if all(map(str.islower, letters)):
        return "small"
    if len(letters) > 1 and all(map(str.isupper, letters)):
        return "capitals"
    return "capital first" if not any(map(str.isupper, letters[1:])) else "mixed"
