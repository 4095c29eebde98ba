"""A Hugging Face dataset for token classification, as a Parquet file: ``tokens`` and ``ner_tags`` with their names.

The columns are those of https://huggingface.co/datasets/eriktks/conll2003 and like sets, ``id``, ``tokens`` (words) and
``ner_tags`` (a ``ClassLabel``, so the names travel with the file), and with them ``language``, ``text`` and
``offsets``, from which the spans are read back. ``datasets.Dataset.from_parquet(PATH)`` and ``load_dataset("parquet",
...)`` open it.
"""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyarrow import parquet

from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.pii.alignment import spans_of, tag, tag_names, tag_numbers
from lib.pii.exports.examples import Example
from lib.pii.spans import Filled
from lib.pii.words import words

if TYPE_CHECKING:
    from datasets import Dataset

LOSES = "persons, and the borders of spans within a word"


def dataset(examples: Sequence[Example], labels: Iterable[str]) -> "tuple[Dataset, int]":
    """Labelled texts as a dataset of words and tags.

    Args:
        examples: what goes in.
        labels: all class names, of other splits too, so that every split numbers its tags alike.

    Returns:
        The dataset, and how many spans changed their borders or were lost, because they begin or end within a word.
    """
    from datasets import ClassLabel, Dataset, Features, List, Value

    names = tag_names(labels)
    moved = 0
    columns: dict[str, list] = {name: [] for name in ("id", "language", "text", "tokens", "offsets", "ner_tags")}
    for name, language, (text, spans), _ in examples:
        offsets = words(text)
        tagged = tag(spans, offsets)
        moved += len(tagged.changed) + len(tagged.lost)
        tokens = [text[start:end] for start, end in offsets]
        row = (name, language, text, tokens, [list(offset) for offset in offsets], tag_numbers(tagged.tags, names))
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    strings, integers = Value("string"), Value("int32")
    features = Features(
        id=strings,
        language=strings,
        text=strings,
        tokens=List(strings),
        offsets=List(List(integers)),
        ner_tags=List(ClassLabel(names=names)),
    )
    return Dataset.from_dict(columns, features=features), moved


def write(path: Path, examples: Sequence[Example], labels: Iterable[str]) -> int:
    """Write labelled texts as Parquet; see `dataset` for the arguments and what is returned.

    Args:
        path: the file.
        examples: what is written.
        labels: all class names.
    """
    made, moved = dataset(examples, labels)
    buffer = io.BytesIO()
    made.to_parquet(buffer)
    write_atomic(path, buffer.getvalue())
    return moved


def read(path: Path) -> list[Example]:
    """Read labelled texts; persons are None.

    Args:
        path: a Parquet file with the columns of `write`.

    Raises:
        DoppelError: ``pii.export_columns``: a column is missing, or the tags have no names.
    """
    from datasets import Dataset

    rows = Dataset(parquet.read_table(path))  # from_parquet would copy the file into a cache
    needed = {"id", "language", "text", "offsets", "ner_tags"}
    names = getattr(getattr(rows.features.get("ner_tags"), "feature", None), "names", None)
    if missing := sorted(needed - set(rows.column_names)) or ([] if names else ["ner_tags' names"]):
        raise DoppelError(
            "pii.export_columns",
            f"{', '.join(missing)} missing",
            name=missing[0],
            remedy="write it with lib.pii.exports.huggingface",
            where=str(path),
        )
    return [
        Example(
            row["id"],
            row["language"],
            Filled(
                row["text"],
                spans_of(row["text"], list(map(tuple, row["offsets"])), [names[tag_] for tag_ in row["ner_tags"]]),
            ),
        )
        for row in rows
    ]
