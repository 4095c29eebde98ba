"""Slot texts of another arm: each is judged alone, kept or dropped, and counted."""

from support.project import ROOT

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.pii.classes import classes
from lib.pii.detectors.rules import Rules
from lib.pii.slots import read_brackets
from lib.pii.writing.from_arm import take
from lib.pii.writing.writers import BRACKETS

TABLE = read_brackets(ROOT / BRACKETS, classes())


def test_texts_are_kept_or_dropped_by_themselves_and_counted() -> None:
    texts = ["[FIRSTNAME] likes it.", "No slot.", "[Name]: fine", "[FIRSTNAME], mail a@b.org", "[FIRSTNAME] likes it."]
    given = [Record(str(number), PrivateText(text), {}) for number, text in enumerate(texts)]
    made = take(given, Rules("en_US"), TABLE)
    assert [None if text is None else text.text for text in made.texts] == [
        texts[0], None, "[FIRSTNAME] [LASTNAME]: fine", None, texts[0],
    ]  # fmt: skip
    assert made.rejected == {"no slot": 1, "outside slots: EMAIL": 1} and made.mapped == 1
    assert made.texts[0].template == made.texts[4].template != made.texts[2].template
    alone = [take([record], Rules("en_US"), TABLE).texts[0] for record in given]
    assert alone == made.texts  # post-processing, record by record
