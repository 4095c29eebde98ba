"""The part of a card that says what is in a pack, and how it is loaded."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, median

from lib.common.printable import printable
from lib.data.records import Record
from lib.data.tokenize import count
from lib.release import kinds, pictures, rows
from lib.release.certificate import LABELLED, files_of
from lib.release.pictures import Picture

MOST_VALUES = 20  # of a label or a column that are listed
LOADING = """
```python
import json

import datasets

datasets.load_dataset("FOLDER", split="train")  # records.parquet
[json.loads(line) for line in open("FOLDER/records.jsonl", encoding="utf-8")]  # the same
```

(The loader "json" of `datasets` would make dates of labels and texts that look like dates.)
"""
LOADING_PICTURES = """
```python
import datasets

datasets.load_dataset("FOLDER", split="train")  # the column image holds pictures of Pillow
```
"""
LOADING_ROWS = """
```python
import datasets
import pandas

datasets.load_dataset("parquet", data_files="FOLDER/records.parquet", split="train")
pandas.read_csv("FOLDER/records.csv")  # the same, an empty cell for what is missing
```
"""
LABELS = """\
In `labelled.jsonl`, `privacy_mask` lists each value with `start` and `end` in code points (as Python counts) and its
class; it was recorded while the text was written, and `verify` checks that each place holds its value. `target_text` is
the text with slots, in which `[EMAIL_2]` is the e-mail of person 2; `template` tells which texts share a template, and
belong into one fold."""
CERTIFICATE = "| `certificate.json` | what was spent, by what code, and the hash of each file |"


def contents(certificate: Mapping, records: Sequence[Record] | Sequence[Picture]) -> Iterator[str]:
    """The lines of the section.

    Args:
        certificate: of the pack.
        records: the n >= 1 records, as `lib.release.contents.read` gives them.
    """
    kind = kinds.of_stage(certificate["stage"])
    yield "| file | content |\n|---|---|"
    if kind is kinds.PICTURES:
        yield from _pictures(certificate, records)
    elif kind is kinds.ROWS:
        yield from _rows(certificate, records)
    else:
        yield from _texts(records, LABELLED in files_of(certificate["stage"]))


def in_marks(text: str) -> str:
    """A text that the pack brings with it, between code marks that it cannot leave: no link, image or HTML."""
    shown = printable(text, 2000).replace("`", "'").replace("|", "/")  # a bar would end the cell of a table
    return f"`{shown or ' '}`"


def _texts(records: Sequence[Record], labelled: bool) -> Iterator[str]:
    lengths = [count(record.text.reveal()) for record in records]
    distinct = len({record.text for record in records})
    yield f"| `records.jsonl` | {len(records):,} records, one a line: `id`, `text`, `labels` |"
    yield "| `records.parquet` | the same records |"
    if labelled:
        yield f"| `{LABELLED}` | the same texts with their personal data: `source_text`, `privacy_mask` and so on |"
    yield CERTIFICATE
    yield LOADING
    yield (
        f"A text has {mean(lengths):.1f} words on average, {median(lengths):g} in the median, {max(lengths)} at most; "
        f"{distinct:,} of {len(records):,} are different."
    )
    yield from _labels(records)
    yield from _first_three(records)
    if labelled:
        yield LABELS
    yield "The label is what the model was asked for; nobody checked that each text fits it."


def _pictures(certificate: Mapping, records: Sequence[Picture]) -> Iterator[str]:
    shape, distinct = pictures.declared(certificate), len({picture.digest for picture in records})
    yield f"| `{pictures.FILE}` | {len(records):,} pictures, one a row: `id`, `image` (a PNG file), and each label |"
    yield CERTIFICATE
    yield LOADING_PICTURES
    yield (
        f"A picture has {shape['width']} x {shape['height']} pixels, {'in colours' if shape['colours'] else 'grey'}; "
        f"{distinct:,} of {len(records):,} are different. A file holds pixels alone: no time, no place, no device."
    )
    yield from _labels(records)
    yield "\nThe label is what was to be drawn; nobody checked that each picture shows it."


def _rows(certificate: Mapping, records: Sequence[Record]) -> Iterator[str]:
    columns, label = rows.domain_of(certificate)
    yield f"| `records.csv` | {len(records):,} rows, behind a line with the names of the columns |"
    yield "| `records.parquet` | the same rows, with the types of the columns |"
    yield CERTIFICATE
    yield LOADING_ROWS
    yield (
        f"{len({record.text for record in records}):,} of {len(records):,} rows are different. Every cell is within "
        "this domain, which was declared before any row was read:"
    )
    yield "\n| column | values |\n|---|---|"
    for column in columns:
        listed = ", ".join(map(in_marks, column.values[:MOST_VALUES])) + (" ..." if column.values[MOST_VALUES:] else "")
        held = f"numbers from {column.low:g} to {column.high:g}, {column.decimals} decimals"
        yield f"| {in_marks(column.name)} | {held if column.is_number else listed}{' or empty' * column.missing} |"
    yield from _labels(records)
    if label is not None:
        yield f"\nThe label is the column {in_marks(label)}, by which private rows voted."
    yield from _first_three(records)


def _labels(records: Sequence[Record] | Sequence[Picture]) -> Iterator[str]:
    for name in sorted({name for record in records for name in record.labels}):
        counts = Counter(record.labels[name] for record in records).most_common(MOST_VALUES)
        yield f"\nLabel {in_marks(name)}: " + ", ".join(f"{in_marks(value)} {count:,}" for value, count in counts) + "."


def _first_three(records: Sequence[Record]) -> Iterator[str]:
    yield "\nThe first three:\n"
    for record in records[:3]:  # a block of code: what is in it is shown as it is, be it a link, an image or HTML
        one_line = " ".join(record.text.reveal().split())
        yield f"    {printable(', '.join(record.labels.values()) + (': ' if record.labels else '') + one_line, 2000)}\n"
