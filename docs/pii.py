"""Draws docs/pii.png, a picture of the README: a text with slots, and the same text filled: ``python docs/pii.py``."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lib.pii.classes import classes  # noqa: E402
from lib.pii.slots import Slot, parse  # noqa: E402
from lib.pii.spans import fill  # noqa: E402
from lib.pii.writing import grammar, settings  # noqa: E402
from lib.plots.pii_text import tint  # noqa: E402
from lib.stage.parameters import read_spec  # noqa: E402

SEED, FIELD, STYLE = 11, "travel", "e-mail"
WIDTH, MARGIN, SIZE, LINE = 560, 18, 15, 25  # pixels: of a column, around it, of letters, from line to line

Piece = tuple[str, str | None]  # text, and the class of a slot or value


def main() -> None:
    os.chdir(ROOT)
    defaults = {name: given.default for name, given in read_spec(ROOT / "notebooks/40_pii_text.ipynb").items()}
    rules = grammar.load()
    plan = settings.plan(defaults | {"mode": "random"}, rules)
    task = plan.task(SEED)._replace(field=FIELD, style=STYLE, locale="en_US")
    values = plan.new_values(task)
    parsed = parse(rules.write(FIELD, STYLE, task.rng("text"), values, aside=True).text, classes())
    slots = [(str(piece), piece.name if isinstance(piece, Slot) else None) for piece in parsed.pieces]
    filled, done = fill(parsed, values.value), 0
    texts: list[Piece] = []
    for span in filled.spans:
        texts += [(filled.text[done : span.start], None), (span.value, span.label)]
        done = span.end
    columns = [slots, [*texts, (filled.text[done:], None)]]
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), SIZE)
    height = max(len(list(_lines(column, font))) for column in columns) * LINE + 2 * MARGIN
    picture = Image.new("RGB", (2 * WIDTH, height), "white")
    draw = ImageDraw.Draw(picture)
    for number, column in enumerate(columns):
        for row, line in enumerate(_lines(column, font)):
            x = number * WIDTH + MARGIN
            for text, label in line:
                width = font.getlength(text)
                if label:
                    y = MARGIN + row * LINE
                    draw.rounded_rectangle((x - 2, y - 1, x + width + 1, y + LINE - 6), radius=4, fill=tint(label))
                draw.text((x, MARGIN + row * LINE), text, fill="#222222", font=font)
                x += width
    picture.quantize(64, dither=Image.Dither.NONE).save(Path(__file__).with_suffix(".png"), optimize=True)


def _lines(pieces: list[Piece], font: ImageFont.FreeTypeFont) -> Iterator[list[Piece]]:
    """The pieces, broken into lines that fit a column; values are not broken."""
    line: list[Piece] = []
    used = 0.0
    for text, label in pieces:
        for part in [text] if label else re.findall(r"\n|[^\S\n]+|[^\s]+", text):
            width = font.getlength(part) if part != "\n" else 0.0
            if part == "\n" or used + width > WIDTH - 2 * MARGIN:
                yield line
                line, used = [], 0.0
            if part != "\n" and (line or part.strip()):
                line.append((part, label))
                used += width
    yield line


if __name__ == "__main__":
    main()
