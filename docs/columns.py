"""Draws texts side by side with pieces of them coloured: for the pictures of the README."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

WIDTH, MARGIN, SIZE, LINE = 560, 18, 15, 25  # pixels: of a column, around it, of letters, from line to line

Piece = tuple[str, str | None]  # text, and the colour behind it


def draw(columns: Sequence[list[Piece]], path: Path) -> None:
    """Draw columns of text.

    Args:
        columns: the pieces of each text, in order.
        path: the PNG file.
    """
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), SIZE)
    height = max(len(list(_lines(column, font))) for column in columns) * LINE + 2 * MARGIN
    picture = Image.new("RGB", (len(columns) * WIDTH, height), "white")
    canvas = ImageDraw.Draw(picture)
    for number, column in enumerate(columns):
        for row, line in enumerate(_lines(column, font)):
            x = number * WIDTH + MARGIN
            y = MARGIN + row * LINE
            for text, colour in line:
                width = font.getlength(text)
                if colour:
                    canvas.rounded_rectangle((x - 2, y - 1, x + width + 1, y + LINE - 6), radius=4, fill=colour)
                canvas.text((x, y), text, fill="#222222", font=font)
                x += width
    picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def pieces(text: str, marks: Sequence[tuple[int, int, str]]) -> list[Piece]:
    """The pieces of a text.

    Args:
        text: all of it.
        marks: start, end and colour of what is coloured, from left to right, disjoint.
    """
    found, done = [], 0
    for start, end, colour in marks:
        found += [(text[done:start], None), (text[start:end], colour)]
        done = end
    return [*found, (text[done:], None)]


def _lines(pieces: list[Piece], font: ImageFont.FreeTypeFont) -> Iterator[list[Piece]]:
    """The pieces, broken at spaces into lines that fit a column."""
    line: list[Piece] = []
    used = 0.0
    for text, colour in pieces:
        begun = False  # whether the line ends with this piece
        for part in re.findall(r"\n|[^\S\n]+|[^\s]+", text):
            width = font.getlength(part) if part != "\n" else 0.0
            if part == "\n" or used + width > WIDTH - 2 * MARGIN:
                yield line
                line, used, begun = [], 0.0, False
            if part != "\n" and (line or part.strip()):
                line = [*line[:-1], (line[-1][0] + part, colour)] if begun else [*line, (part, colour)]
                used, begun = used + width, True
    yield line
