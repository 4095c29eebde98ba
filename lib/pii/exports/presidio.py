"""presidio-evaluator's ``InputSample``, as its ``InputSample.to_json`` writes and ``read_dataset_json`` reads them.

One JSON array; a sample has ``full_text``, ``masked`` (its template, with ``{{names}}``), ``spans`` [{entity_type,
entity_value, start_position, end_position}], ``template_id`` and ``metadata``, an object for anything more:
https://github.com/microsoft/presidio-research, ``presidio_evaluator/data_objects.py``. Newer versions add fields of
tokens to a span, all optional. id, language and persons go to ``metadata``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lib.pii.exports.examples import Example, Fields, checked, read_array, write_array
from lib.pii.spans import Filled, Span

LOSES = "nothing; persons stand in the metadata, which presidio-evaluator does not use"


class _Span(Fields):
    entity_type: str
    entity_value: str
    start_position: int
    end_position: int


class _Sample(Fields):
    full_text: str
    spans: list[_Span]
    metadata: dict[str, Any] | None = None


class _Metadata(Fields):
    """What `write` puts into the metadata; those of others have other things."""

    id: str
    language: str
    persons: list[int | None]


def write(path: Path, examples: Iterable[Example]) -> None:
    """Write labelled texts as one JSON array.

    Args:
        path: the file.
        examples: what is written; `lib.pii.spans.relabel` gives their spans Presidio's names, with whole names as one.
    """
    write_array(path, [_sample(example) for example in examples])


def read(path: Path) -> list[Example]:
    """Read labelled texts; labels are Presidio's, spans are sorted by their places.

    Args:
        path: a JSON array of samples, ours or presidio-evaluator's.

    Returns:
        The texts. Without our metadata ids are numbers from 1, languages empty and persons None.

    Raises:
        DoppelError: ``pii.export_array`` or ``pii.export_field``.
    """
    examples = []
    for number, (where, value) in enumerate(read_array(path), 1):
        sample = checked(_Sample, value, where)
        metadata = _Metadata(id=str(number), language="", persons=[])
        if sample.metadata and sample.metadata.keys() >= _Metadata.model_fields.keys():
            metadata = checked(_Metadata, sample.metadata, where)
        persons = metadata.persons if len(metadata.persons) == len(sample.spans) else [None] * len(sample.spans)
        spans = [
            Span(span.start_position, span.end_position, span.entity_type, span.entity_value, person)
            for span, person in zip(sample.spans, persons, strict=True)
        ]
        spans.sort(key=lambda span: span[:2])
        examples.append(Example(metadata.id, metadata.language, Filled(sample.full_text, tuple(spans))))
    return examples


def _sample(example: Example) -> dict:
    text, spans = example.filled
    masked, done = "", 0
    for span in spans:
        masked += text[done : span.start] + "{{" + span.label.lower() + "}}"
        done = span.end
    return {
        "full_text": text,
        "masked": masked + text[done:],
        "spans": [
            {
                "entity_type": span.label,
                "entity_value": span.value,
                "start_position": span.start,
                "end_position": span.end,
            }
            for span in spans
        ],
        "template_id": None,
        "metadata": {
            "id": example.id,
            "language": example.language,
            "persons": [span.person for span in spans],
        },
    }
