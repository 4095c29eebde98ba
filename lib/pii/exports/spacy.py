"""spaCy's training data: pairs of a text and ``{"entities": [[start, end, label]]}``, and its binary DocBin.

https://spacy.io/api/data-formats. Offsets are code points in spaCy too, but an entity must begin and end with a token.
spaCy leaves out one that does not and warns; `doc_bin` widens it to whole tokens and counts it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Strict

from lib.pii.exports.examples import Example, Fields, checked, read_array, write_array
from lib.pii.spans import Filled, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import DocBin

LOSES = "id, language and persons; spaCy itself leaves out a span that does not end at its tokens"


class _Entities(Fields):
    entities: list[Annotated[tuple[int, int, str], Strict(False)]]  # JSON has no tuples


class _Pair(Fields):
    pair: Annotated[tuple[str, _Entities], Strict(False)]


class Docs(NamedTuple):
    """Texts as spaCy keeps them.

    Attributes:
        docs: write it with ``docs.to_disk(PATH)``.
        spans: how many the texts have.
        widened: how many did not end at spaCy's tokens, and were widened to whole tokens.
        lost: how many lie in tokens that an earlier span has.
    """

    docs: "DocBin"
    spans: int
    widened: int
    lost: int


def write(path: Path, examples: Iterable[Example]) -> None:
    """Write labelled texts as one JSON array, a pair a line.

    Args:
        path: the file.
        examples: what is written.
    """
    pairs = [
        [filled.text, {"entities": [[span.start, span.end, span.label] for span in filled.spans]}]
        for filled in (example.filled for example in examples)
    ]
    write_array(path, pairs)


def read(path: Path) -> list[Example]:
    """Read labelled texts; ids are numbers from 1, languages empty, persons None.

    Args:
        path: a JSON array of pairs, as `write` makes it.

    Raises:
        DoppelError: ``pii.export_array`` or ``pii.export_field``.
    """
    examples = []
    for number, (where, value) in enumerate(read_array(path), 1):
        text, annotations = checked(_Pair, {"pair": value}, where).pair
        spans = (Span(start, end, label, text[start:end]) for start, end, label in sorted(annotations.entities))
        examples.append(Example(str(number), "", Filled(text, tuple(spans))))
    return examples


def doc_bin(examples: Sequence[Example], nlp: "Language") -> Docs:
    """Labelled texts as a DocBin for ``spacy train``. Imports spaCy.

    Args:
        examples: what is kept.
        nlp: a pipeline whose tokenizer is used, ``spacy.blank("en")``.
    """
    from spacy.tokens import DocBin

    docs, spans, widened, lost = DocBin(), 0, 0, 0
    for filled in (example.filled for example in examples):
        doc, entities, done = nlp.make_doc(filled.text), [], 0
        for span in filled.spans:
            entity = doc.char_span(span.start, span.end, label=span.label, alignment_mode="expand")
            if entity is None or entity.start < done:
                lost += 1
                continue
            widened += (entity.start_char, entity.end_char) != (span.start, span.end)
            entities.append(entity)
            done = entity.end
        doc.ents = entities
        docs.add(doc)
        spans += len(filled.spans)
    return Docs(docs, spans, widened, lost)
