"""The JSON of the Text Anonymization Benchmark (TAB; Pilán et al., Computational Linguistics 2022).

An array of documents: ``doc_id``, ``text``, ``annotations`` {annotator: {``entity_mentions``}}, ``dataset_type``
(train, dev, test), ``meta``, ``quality_checked`` and ``task``. A mention has ``entity_type`` (PERSON, CODE, LOC, ORG,
DEM, DATETIME, QUANTITY, MISC), ``entity_mention_id``, ``start_offset``, ``end_offset``, ``span_text``, ``edit_type``
(check, insert, correct), ``identifier_type`` (DIRECT and QUASI are to be masked, NO_MASK not), ``entity_id`` and
``confidential_status``: https://github.com/NorskRegnesentral/text-anonymization-benchmark.

TAB's recall counts an entity as masked when all its mentions are, so what is one entity matters. All names of a person
are one; any other class of a person (the e-mail, the city) is an entity of its own.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from lib.common.errors import DoppelError, nearest
from lib.pii.exports.examples import Example, Fields, checked, read_array, write_array
from lib.pii.spans import Filled, Span

LOSES = "classes, of which TAB knows eight; persons are numbered anew, an entity each"

ENTITY_TYPES = ("PERSON", "CODE", "LOC", "ORG", "DEM", "DATETIME", "QUANTITY", "MISC")
IDENTIFIER_TYPES = ("DIRECT", "QUASI", "NO_MASK")

_ANNOTATOR = "annotator1"


class Kind(NamedTuple):
    """What a class is to TAB.

    Attributes:
        entity_type: one of `ENTITY_TYPES`.
        identifier_type: one of `IDENTIFIER_TYPES`.
    """

    entity_type: str
    identifier_type: str


class _Mention(Fields):
    entity_type: str
    entity_id: str
    start_offset: int
    end_offset: int
    span_text: str


class _Annotation(Fields):
    entity_mentions: list[_Mention]


class _Document(Fields):
    doc_id: str
    text: str
    annotations: dict[str, _Annotation]


def write(
    path: Path, examples: Iterable[Example], kinds: Mapping[str, Kind], split: Literal["train", "dev", "test"]
) -> None:
    """Write labelled texts as one JSON array, each annotated once.

    Args:
        path: the file.
        examples: what is written.
        kinds: class name -> what it is to TAB.
        split: the part of a corpus that the file is.

    Raises:
        DoppelError: ``pii.tab_kind``: a class has no kind, or one that TAB does not know.
    """
    for label, kind in kinds.items():
        if kind.entity_type not in ENTITY_TYPES or kind.identifier_type not in IDENTIFIER_TYPES:
            remedy = f"use {', '.join(ENTITY_TYPES)} and {', '.join(IDENTIFIER_TYPES)}"
            raise DoppelError("pii.tab_kind", f"TAB knows no such kind as {label} has", name=label, remedy=remedy)
    write_array(path, [_document(example, kinds, split) for example in examples])


def read(path: Path) -> list[Example]:
    """Read labelled texts, one for each annotator of a document; labels are TAB's entity types.

    Args:
        path: a JSON array of documents, ours or TAB's.

    Returns:
        The texts. An id is that of the document, with ``/ANNOTATOR`` behind it where there are several; languages are
        empty; persons are the entities, numbered as they come.

    Raises:
        DoppelError: ``pii.export_array`` or ``pii.export_field``.
    """
    examples = []
    for where, value in read_array(path):
        document = checked(_Document, value, where)
        for annotator, annotation in document.annotations.items():
            mentions = sorted(
                annotation.entity_mentions, key=lambda mention: (mention.start_offset, mention.end_offset)
            )
            numbers: dict[str, int] = {}
            spans = tuple(
                Span(
                    mention.start_offset,
                    mention.end_offset,
                    mention.entity_type,
                    mention.span_text,
                    numbers.setdefault(mention.entity_id, len(numbers) + 1),
                )
                for mention in mentions
            )
            name = document.doc_id if len(document.annotations) == 1 else f"{document.doc_id}/{annotator}"
            examples.append(Example(name, "", Filled(document.text, spans)))
    return examples


def _document(example: Example, kinds: Mapping[str, Kind], split: str) -> dict:
    entities: dict[object, int] = {}
    mentions = []
    for number, span in enumerate(example.filled.spans, 1):
        if span.label not in kinds:
            remedy = nearest(span.label, kinds)
            raise DoppelError("pii.tab_kind", f"{span.label} has no kind of TAB's", name=span.label, remedy=remedy)
        kind = kinds[span.label]
        # without a person, each value is an entity of its own
        owner = span.value if span.person is None else span.person
        entity = (owner, "PERSON" if kind.entity_type == "PERSON" else span.label, kind.identifier_type)
        mentions.append(
            {
                "entity_type": kind.entity_type,
                "entity_mention_id": f"{example.id}_a1_em{number}",
                "start_offset": span.start,
                "end_offset": span.end,
                "span_text": span.value,
                "edit_type": "insert",
                "identifier_type": kind.identifier_type,
                "entity_id": f"{example.id}_a1_e{entities.setdefault(entity, len(entities) + 1)}",
                "confidential_status": "NOT_CONFIDENTIAL",
            }
        )
    return {
        "annotations": {_ANNOTATOR: {"entity_mentions": mentions}},
        "dataset_type": split,
        "doc_id": example.id,
        "meta": {"language": example.language},
        "quality_checked": False,
        "task": "Mask everything that says who a person is",
        "text": example.filled.text,
    }
