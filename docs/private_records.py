"""Draws docs/private_records.png, a picture of the README: ``python docs/private_records.py``.

A record of a made-up person, with what is to be hidden in it, and the same record sanitized.
"""

import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.columns import draw, pieces  # noqa: E402
from lib.generation.engines.base import Sampling  # noqa: E402
from lib.generation.workflow import run  # noqa: E402
from lib.private_records import settings as of_records  # noqa: E402
from lib.private_records.grammar_author import GrammarAuthor  # noqa: E402
from lib.private_records.novelty import Sample  # noqa: E402
from lib.private_records.pipeline import Recipe, write_record  # noqa: E402
from lib.sanitization import marks  # noqa: E402
from lib.sanitization.annotators import Given  # noqa: E402
from lib.sanitization.case import Original  # noqa: E402
from lib.sanitization.rules import Rules  # noqa: E402
from lib.sanitization.sanitize import Sanitizer  # noqa: E402
from lib.stage.parameters import read_spec  # noqa: E402

NUMBER = 18  # of the record
COLOURS = {"abstract": "#f6d7a8", "drop": "#f2b8b5", "keep": "#cfe8cf", "new": "#c9def5", "leak": "#ff6666"}


def main() -> None:
    os.chdir(ROOT)
    spec = read_spec(ROOT / "notebooks/50_private_records.ipynb")
    defaults = {name: given.default for name, given in spec.items()}
    task = of_records.tasks(defaults | {"samples": NUMBER + 1})[NUMBER]
    writing = write_record(task, GrammarAuthor(), Recipe(), lambda text: np.ones(1), Sample(np.zeros((0, 1))))
    record = run({task.id: writing}, None, Sampling()).results[task.id].record
    original = Original(record.id, record.text, {}, record.attributes, record.groups)
    sanitizer = Sanitizer(Given(), Rules())
    made = run({task.id: sanitizer.sanitize(original)}, None, Sampling()).results[task.id]
    before, after = (
        [(start, end, COLOURS[label.split()[0]]) for start, end, label in marked]
        for marked in (marks.before(made), marks.after(made))
    )
    draw([pieces(made.text, before), pieces(made.sanitized, after)], Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main()
