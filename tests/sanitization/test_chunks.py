"""Chunks are offsets that make up the text: nothing is lost, whatever the text is like, in linear time."""

import time
from random import Random

import pytest

from lib.common.errors import DoppelError
from lib.private_records.schema import Place
from lib.sanitization.chunks import chunks, numbers_of, spanned
from lib.sanitization.schema import Chunk

PIECES = (
    *(
        "Ada lives in Oslo. ",
        "Why? ",
        "He paid $1,250.50... ",
        "Dr. Lee, M.D. ",
        "no end",
        "x" * 90,
        "[CHUNK]",
        "<sep>",
    ),
    *("\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\t", "  ", " \n \n", "\u2028", "\u00a0", "\v", "\f", "\x85", "\n" * 7),
    *(
        "\u200b",
        "\ufeff",
        "\u200d",
        "👩‍👩‍👧‍👦",
        "🇳🇴",
        "é",
        "e\u0301",
        "שלום עולם. ",
        "مرحبا؟ ",
        "东京很大。",
        "สวัสดี ",
        "\x00",
    ),
)
ADVERSARIAL = (
    *("", "x" * 2_000, "\n" * 2_000, "\r\n" * 900, "\r" * 900, " " * 2_000, "e" + "\u0301" * 2_000, "東京" * 900),
    *("👨‍👩‍👧" * 400, "a. " * 900, "\u200d" * 900, "\u202eabc " * 400, "--- chunk ---" * 90, ("a\n\n" + "x" * 511) * 4),
)


def texts(count: int, longest: int, seed: int) -> list[str]:
    rng = Random(seed)
    return ["".join(rng.choices(PIECES, k=rng.randint(0, longest))) for _ in range(count)]


def check(text: str, longest: int) -> None:
    made = chunks(text, longest)
    assert "".join(text[start:end] for start, end in made) == text
    borders = [0, *(end for _, end in made)]
    assert [start for start, _ in made] == borders[:-1] and borders[-1] == len(text)
    assert all(0 < end - start <= longest for start, end in made)
    assert longest == 1 or not any(text[end - 1 : end + 1] == "\r\n" for _, end in made)


def test_ten_thousand_texts_are_put_together_again():
    for text in texts(10_000, 60, 0):
        check(text, 512)


def test_adversarial_texts_are_put_together_again():
    rng = Random(1)
    for text in [*ADVERSARIAL, *texts(1_000 - len(ADVERSARIAL), 200, 2)]:
        check(text, rng.choice([1, 2, 3, 7, 64, 512]))


@pytest.mark.parametrize("unit", ["x", "A b. ", "\n", "a\n\n" + "x" * 511, "漢", "e\u0301", "\u0301"])
def test_a_million_characters_take_linear_time(unit):
    text = unit * (1_000_000 // len(unit))
    start = time.process_time()
    check(text, 512)
    assert time.process_time() - start < 10


def test_a_chunk_ends_at_the_best_border_that_fits():
    def split(text: str, longest: int) -> list[str]:
        return [text[start:end] for start, end in chunks(text, longest)]

    text = "One. Two.\nThree.\n\nFour five six."
    assert split(text, 20) == ["One. Two.\nThree.\n\n", "Four five six."]
    assert split(text, 12) == ["One. Two.\n", "Three.\n\n", "Four five ", "six."]
    assert split("One. Two three", 9) == ["One. ", "Two three"]
    assert split("👩‍👩‍👧x", 3) == ["👩\u200d👩", "\u200d👧x"], "what is longer than a chunk is cut"
    assert split("xx👩‍👩‍👧", 5) == ["xx", "👩‍👩‍👧"], "a character is not"


def test_chunks_that_share_a_place_are_one():
    pieces = (Chunk(0, 4), Chunk(4, 8), Chunk(8, 12))
    assert spanned(pieces, [Place(3, 5)]) == (Chunk(0, 8), Chunk(8, 12))
    assert spanned(pieces, [Place(0, 4), Place(4, 8)]) == pieces
    assert spanned(pieces, [Place(2, 10)]) == (Chunk(0, 12),)
    assert numbers_of(pieces, [Place(3, 5), Place(11, 12)]) == (0, 1, 2)
    assert numbers_of(pieces, [Place(4, 8)]) == (1,)


def test_no_characters_are_refused():
    with pytest.raises(DoppelError) as refusal:
        chunks("text", 0)
    assert (refusal.value.code, refusal.value.value) == ("sanitization.chunk_characters", 0)
