"""Labelled records: what a slot text and the values of its record come to, and the files that hold them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from lib.common import jsonl
from lib.common.files import write_atomic
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.pii.classes import classes
from lib.pii.exports.examples import Example
from lib.pii.slots import PLAIN, Brackets, parse
from lib.pii.spans import Filled, Span, fill
from lib.pii.values import Values
from lib.pii.writing.grammar import Grammar, SlotText
from lib.pii.writing.plan import Plan, Task
from lib.pii.writing.typing_errors import messy

LANGUAGE = "en"  # of the grammar, and of what models are asked for


class Row(NamedTuple):
    """A labelled record.

    Attributes:
        number: of the record, from 0.
        labels: of the record, name -> value.
        template: id of what it was made from; texts with one id go into one fold.
        filled: text and spans.
    """

    number: int
    labels: dict[str, str]
    template: str
    filled: Filled

    @property
    def id(self) -> str:
        """Of the record: its number in six digits or more."""
        return f"synthetic-{self.number:06d}"

    def record(self) -> Record:
        """The record as every arm writes it: the filled text and its labels."""
        return Record(self.id, PrivateText(self.filled.text), self.labels)

    def example(self) -> Example:
        """The labelled text as the formats of `lib.pii.exports` write it."""
        return Example(self.id, LANGUAGE, self.filled, self.template)


def of_task(plan: Plan, task: Task, grammar: Grammar) -> Row:
    """The record of a task, written by the grammar.

    Args:
        plan: of the set.
        task: of the record.
        grammar: writes the slot text.
    """
    values = plan.new_values(task)
    written = grammar.write(task.field, task.style, task.rng("text"), values, aside=task.aside)
    return _row(task, written, _labels(task), values, PLAIN)


def of_text(
    plan: Plan, task: Task, text: SlotText, labels: dict[str, str] | None = None, brackets: Brackets = PLAIN
) -> Row:
    """The record of a slot text that a model or another arm wrote.

    Args:
        plan: of the set.
        task: of the record.
        text: without faults.
        labels: of the record; None: the task's field, style and locale.
        brackets: what else in brackets is text; its aliases were mapped before.
    """
    return _row(task, text, _labels(task) if labels is None else labels, plan.new_values(task), brackets)


def _row(task: Task, text: SlotText, labels: dict[str, str], values: Values, brackets: Brackets) -> Row:
    parsed = parse(text.text, classes(), brackets)
    if task.messy:
        parsed = parse(messy(parsed, task.rng("messy")), classes(), brackets)
    return Row(task.number, labels, text.template, fill(parsed, values.value))


def _labels(task: Task) -> dict[str, str]:
    return {"field": task.field, "style": task.style, "locale": task.locale}


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows to a file of work in progress, whole or not at all.

    Args:
        path: the JSONL file.
        rows: to be written.
    """
    lines = (
        json.dumps([row.number, row.labels, row.template, row.filled.text, row.filled.spans], ensure_ascii=False)
        for row in rows
    )
    write_atomic(path, "".join(f'{{"row": {line}}}\n' for line in lines))


def read(path: Path) -> list[Row]:
    """The rows that `write` wrote.

    Args:
        path: the JSONL file.
    """
    return [_decoded(line["row"]) for _, line in jsonl.read(path)]


def _decoded(row: Sequence) -> Row:
    number, labels, template, text, spans = row
    return Row(number, labels, template, Filled(text, tuple(Span(*span) for span in spans)))
