"""The columns of ai4privacy's sets and of pii-masking-synthetic-data, as JSON lines.

A row has ``source_text``, ``target_text`` (the text with slots), ``privacy_mask`` [{value, start, end, label}],
``span_labels`` [[start, end, label or "O"]] for the whole text, ``mbert_text_tokens`` and ``mbert_bio_labels`` without
special tokens, ``id`` and ``language``: https://huggingface.co/datasets/ai4privacy/pii-masking-200k. The predecessor's
CSV cells hold Python literals; here they are JSON. A row may have one key more, ``template``: what it was made from.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lib.common import jsonl
from lib.common.files import write_atomic
from lib.pii.alignment import OUTSIDE, Aligned, Counts, align, count
from lib.pii.exports.examples import Example, Fields, checked
from lib.pii.slots import is_class_name, parse
from lib.pii.spans import Filled, Span, unfill

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LOSES = "nothing; persons stand in target_text alone"


class _Mask(Fields):
    value: str
    start: int
    end: int
    label: str


class _Row(Fields):
    source_text: str
    target_text: str
    privacy_mask: list[_Mask]
    id: int | str
    language: str = ""
    template: str = ""


def write(path: Path, examples: Iterable[Example], tokenizer: "PreTrainedTokenizerBase | None" = None) -> Counts | None:
    """Write labelled texts, a row each.

    Args:
        path: the JSONL file.
        examples: what is written.
        tokenizer: makes the two columns named after mBERT, whichever tokenizer it is; None leaves them out.

    Returns:
        What the alignment came to: the columns of tags lose what straddles. None without a tokenizer.
    """
    lines: list[str] = []

    def pairs() -> Iterator[tuple[Filled, Aligned]]:
        for example in examples:
            row = _row(example)
            if tokenizer is not None:
                aligned = align(example.filled, tokenizer)
                row |= {"mbert_text_tokens": list(aligned.tokens), "mbert_bio_labels": list(aligned.tags)}
                yield example.filled, aligned
            row |= {"id": example.id, "language": example.language}
            row |= {"template": example.template} if example.template else {}
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")

    counts = count(pairs())
    write_atomic(path, "".join(lines))
    return None if tokenizer is None else counts


def read(path: Path) -> list[Example]:
    """Read labelled texts; spans are as ``privacy_mask`` has them, right or wrong.

    Args:
        path: a JSONL file of this format, ours or another project's.

    Returns:
        The texts. The persons are those of the slots in ``target_text``, where it has the same classes in the same
        order; else they are None.

    Raises:
        DoppelError: a line is no JSON object, or ``pii.export_field``.
    """
    return [_example(checked(_Row, row, where)) for where, row in jsonl.read(path)]


def _row(example: Example) -> dict:
    """The columns of the text and its spans."""
    text, spans = example.filled
    return {
        "source_text": text,
        "target_text": unfill(example.filled),
        "privacy_mask": [{"value": s.value, "start": s.start, "end": s.end, "label": s.label} for s in spans],
        "span_labels": [list(piece) for piece in _labelled(example.filled)],
    }


def _labelled(filled: Filled) -> Iterator[tuple[int, int, str]]:
    """The whole text in pieces, each with its class or ``O``."""
    done = 0
    for span in filled.spans:
        if done < span.start:
            yield done, span.start, OUTSIDE
        yield span.start, span.end, span.label
        done = span.end
    if done < len(filled.text):
        yield done, len(filled.text), OUTSIDE


def _example(row: _Row) -> Example:
    masks = sorted(row.privacy_mask, key=lambda mask: (mask.start, mask.end))
    labels = [mask.label for mask in masks]
    slots = parse(row.target_text, set(filter(is_class_name, labels))).slots
    persons = [slot.person for slot in slots] if [slot.name for slot in slots] == labels else [None] * len(masks)
    spans = (
        Span(mask.start, mask.end, mask.label, mask.value, person) for mask, person in zip(masks, persons, strict=True)
    )
    return Example(str(row.id), row.language, Filled(row.source_text, tuple(spans)), row.template)
