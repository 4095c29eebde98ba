"""Draws docs/pii.png, a picture of the README: a text with slots, and the same text filled: ``python docs/pii.py``."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.columns import draw, pieces  # noqa: E402
from lib.pii.classes import classes  # noqa: E402
from lib.pii.slots import Slot, parse  # noqa: E402
from lib.pii.spans import fill  # noqa: E402
from lib.pii.writing import grammar, settings  # noqa: E402
from lib.plots.pii_text import tint  # noqa: E402
from lib.stage.parameters import read_spec  # noqa: E402

SEED, FIELD, STYLE = 11, "travel", "e-mail"


def main() -> None:
    os.chdir(ROOT)
    defaults = {name: given.default for name, given in read_spec(ROOT / "notebooks/40_pii_text.ipynb").items()}
    rules = grammar.load()
    plan = settings.plan(defaults | {"mode": "random"}, rules)
    task = plan.task(SEED)._replace(field=FIELD, style=STYLE, locale="en_US")
    values = plan.new_values(task)
    parsed = parse(rules.write(FIELD, STYLE, task.rng("text"), values, aside=True).text, classes())
    slots = [(str(piece), tint(piece.name) if isinstance(piece, Slot) else None) for piece in parsed.pieces]
    filled = fill(parsed, values.value)
    spans = [(span.start, span.end, tint(span.label)) for span in filled.spans]
    draw([slots, pieces(filled.text, spans)], Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main()
