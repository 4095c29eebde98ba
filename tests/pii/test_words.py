"""Words hold no white space, and a span that ends within one can be extended to its end."""

import pytest

from lib.pii.words import widened, words


def test_a_word_holds_no_white_space_and_no_other_character_is_lost() -> None:
    every = "".join(chr(number) for number in range(0x3100) if not 0xD800 <= number < 0xE000)
    pieces = [every[start:end] for start, end in words(every)]
    assert all(piece.split() == [piece] for piece in pieces) and "".join(pieces) == "".join(every.split())
    text = "Mr.Bean's 北京 e\u0301a 👩‍👩‍👧! a_b[1]\n\n"
    assert [text[start:end] for start, end in words(text)] == [
        "Mr", ".", "Bean", "'", "s", "北", "京", "e\u0301a", "👩‍👩‍👧", "!", "a_b", "[", "1", "]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("to Guadalajara.", (3, 6), "Guadalajara"),
        ("to Guadalajara.", (9, 14), "Guadalajara"),
        ("in Ulm now", (2, 7), "Ulm"),
        (" \n ", (0, 3), ""),
        ("Mr.Bean's", (3, 5), "Bean"),
        ("e\u0301a b", (0, 1), "e\u0301a"),
        ("北京市", (0, 1), "北"),
        ("ab", (0, 2), "ab"),
        ("a_b1", (2, 3), "a_b1"),
    ],
)
def test_a_span_is_extended_to_the_ends_of_its_words(text: str, span: tuple[int, int], expected: str) -> None:
    start, end = widened(text, *span)
    assert text[start:end] == expected and 0 <= start <= end


def test_a_span_is_not_extended_over_the_one_before() -> None:
    assert widened("Guadalajara", 5, 7, least=4) == (4, 11)
