"""The records that a stage sanitizes: private records of 50, an arm's texts, or a user's private records."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.private_records import schema as private_records
from lib.private_records.outputs import as_arm
from lib.sanitization.case import Original
from lib.sanitization.schema import Sanitized
from lib.stage.notebook_roles import CORPORA


class Kind(NamedTuple):
    """An input that a stage may have.

    Attributes:
        file: in the input's folder.
        private: whether real people may be in it: it is shown to nobody and to no model elsewhere.
        annotated: whether its records say themselves what they tell.
        notebooks: whose stages it may be; none: those of any arm.
    """

    file: str
    private: bool
    annotated: bool
    notebooks: tuple[str, ...]


KINDS = {
    "records": Kind("records.jsonl", False, True, ("50_private_records",)),
    "arm": Kind("synthetic.jsonl", False, False, ()),
    "corpus": Kind("train.jsonl", True, False, CORPORA),
}


def read(name: str, folder: Path, samples: int | None) -> list[Original]:
    """The first records of an input.

    Args:
        name: of the input, a key of `KINDS`.
        folder: of its stage.
        samples: how many at most; None: all.

    Raises:
        DoppelError: the file is missing, or holds something else; no text is quoted.
    """
    path = folder / KINDS[name].file
    if KINDS[name].annotated:
        made = private_records.read(path)
        found = [
            Original(one.id, one.text, dict(row.labels), one.attributes, one.groups)
            for one, row in ((one, next(as_arm([one]))) for one in made)
        ]
    else:
        found = [Original(one.id, one.text.reveal(), dict(one.labels)) for one in records.read(path)]
    return found[:samples]


def as_records(sanitized: Iterable[Sanitized]) -> list[Record]:
    """The sanitized texts as every arm writes them, with the labels of the originals. Ids tell nothing of theirs.

    Args:
        sanitized: in the order of the originals.
    """
    return [
        Record(f"sanitized-{number:06d}", PrivateText(one.sanitized), dict(one.labels))
        for number, one in enumerate(sanitized)
    ]
