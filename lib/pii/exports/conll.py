"""CoNLL-2003 files: a word and its BIO tag a line, an empty line after each text.

Four columns with a space between them, word, part of speech, chunk and entity; the second and third are ``_``, for
nobody made them. A text begins with ``-DOCSTART- -X- O O``: https://www.clips.uantwerpen.be/conll2003/ner/. Tags are
IOB2, which is what Hugging Face's copy has too. Words are those of `lib.pii.words.words`; none holds white space,
so a line break in a text cannot shift a label.
"""

from collections.abc import Iterable
from pathlib import Path

from lib.common import system
from lib.common.encoding import not_utf8
from lib.common.errors import DoppelError
from lib.common.files import write_atomic
from lib.pii.alignment import OUTSIDE, spans_of, tag
from lib.pii.exports.examples import Example
from lib.pii.spans import Filled
from lib.pii.words import words

LOSES = "id, language, persons, white space, and the borders of spans within a word"

_START = "-DOCSTART- -X- O O"


def write(path: Path, examples: Iterable[Example]) -> int:
    """Write labelled texts, each as a document of one sentence.

    Args:
        path: the file.
        examples: what is written.

    Returns:
        How many spans changed their borders or were lost, because they begin or end within a word.
    """
    lines: list[str] = []
    moved = 0
    for text, spans in (example.filled for example in examples):
        offsets = words(text)
        tagged = tag(spans, offsets)
        moved += len(tagged.changed) + len(tagged.lost)
        lines += [_START, ""]
        lines += [f"{text[start:end]} _ _ {name}" for (start, end), name in zip(offsets, tagged.tags, strict=True)]
        lines.append("")
    write_atomic(path, "".join(line + "\n" for line in lines))
    return moved


def read(path: Path) -> list[Example]:
    """Read labelled texts: the words of a document with single spaces between them.

    Args:
        path: a file with the word in the first column and the tag in the last, IOB1 or IOB2.

    Returns:
        A text for each document, or for each sentence where the file has no documents; ids are numbers from 1,
        languages empty, persons None.

    Raises:
        DoppelError: the file cannot be read or is not UTF-8, or ``pii.conll_line`` for a line without a tag.
    """
    with system.refusals(path), path.open("rb") as file:
        try:
            lines = [line.decode("utf-8").rstrip("\r\n") for line in file]
        except UnicodeDecodeError:
            file.seek(0)
            raise not_utf8(file, path) from None
    documents: list[list[tuple[str, str]]] = []
    by_document = any(line.startswith("-DOCSTART-") for line in lines)
    begins = True
    for number, line in enumerate(lines, 1):
        columns = line.split()
        if columns and columns[0] == "-DOCSTART-":
            documents.append([])
            begins = False
        elif not columns:
            begins = begins or not by_document
        elif len(columns) == 1 or not (columns[-1] == OUTSIDE or columns[-1][:2] in ("B-", "I-")):
            sentence = "a line has a word and, in its last column, O, B-CLASS or I-CLASS"
            remedy = "convert the file to BIO tags"
            raise DoppelError("pii.conll_line", sentence, value=number, remedy=remedy, where=f"{path}, line {number}")
        else:
            if begins:
                documents.append([])
                begins = False
            documents[-1].append((columns[0], columns[-1]))
    return [Example(str(number), "", _filled(rows)) for number, rows in enumerate(documents, 1)]


def _filled(rows: list[tuple[str, str]]) -> Filled:
    offsets, length = [], 0
    for word, _ in rows:
        offsets.append((length, length + len(word)))
        length += len(word) + 1
    text = " ".join(word for word, _ in rows)
    return Filled(text, spans_of(text, offsets, [name for _, name in rows]))
