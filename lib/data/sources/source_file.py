"""Finds the file of a source, and refuses what its first bytes show to be of another kind."""

import re
from pathlib import Path

from lib.common import paths, system
from lib.common.errors import DoppelError

HEAD = 4096  # bytes that are looked at; a file that begins with more white space counts as empty
FORMATS = (  # what a file is, its first bytes, and what to do about it
    ("a Parquet file", rb"PAR1[^ -~\r\n]", "name it as parquet:PATH"),
    ("a gzip archive", rb"\x1f\x8b", "unpack it first (gunzip)"),
    ("a packed archive", rb"BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!\x1a", "unpack it first"),
    ("a zip archive, as Excel's .xlsx is", rb"PK\x03\x04", "unpack it first, or save the sheet as 'CSV UTF-8'"),
    ("an old Office file, as Excel's .xls is", rb"\xd0\xcf\x11\xe0", "save the sheet as 'CSV UTF-8'"),
    ("an SQLite database", rb"SQLite format 3\x00", "export its table as CSV"),
    ("an Arrow file", rb"ARROW1\x00|\xff{4}.{3}\x00", "write its table as Parquet"),
    (
        "UTF-16 or UTF-32 text, or no text",
        rb"\xff\xfe|\xfe\xff|.{0,3}\x00",
        "convert text to UTF-8 first (iconv -f utf-16 -t utf8)",
    ),
    ("a JSON array", rb"\[\s*[\[{\"\]]", "write one object a line (jq -c '.[]') and name it as jsonl:PATH"),
    ("JSON objects", rb"\{", "name it as jsonl:PATH"),
    ("plain text", rb"", "name a CSV file as csv:PATH"),
)
READ_AS = {
    "parquet": "a Parquet file",
    "jsonl": "JSON objects",
}  # by kind of source; all others read CSV, which is plain text


def locate(name: str, kind: str) -> Path:
    """The file of a source, which can be opened and begins as its kind does.

    Args:
        name: its path, from the project root or in full.
        kind: of the source, a key of `lib.data.sources.SOURCES`.

    Raises:
        DoppelError: for a missing file, a folder, a file that may not be read, an empty one, and one of another kind.
    """
    path, head = _opened(name)
    _check_format(path, head, kind)
    return path


def kind_of(name: str) -> str:
    """The kind of source that reads a file, by its first bytes: ``csv``, ``jsonl`` or ``parquet``.

    Args:
        name: its path, from the project root or in full.

    Raises:
        DoppelError: as `locate`, and for a file that none of these reads.
    """
    path, head = _opened(name)
    found, _ = _format(head)
    by_name = "jsonl" if path.suffixes[-2:] == [".jsonl", ".gz"] else "csv"
    kind = next((kind for kind, read in READ_AS.items() if read == found), by_name)
    _check_format(path, head, kind)
    return kind


def _opened(name: str) -> tuple[Path, bytes]:
    """The file at a path, and its first bytes without white space and byte order mark."""
    try:
        path = paths.ROOT / Path(name).expanduser()
    except RuntimeError:  # ~NAME, and there is no such user
        path = paths.ROOT / name
    with system.refusals(path):
        if path.is_dir():
            raise DoppelError(
                "data.folder",
                f"{path} is a folder",
                name="source",
                value=name,
                remedy="name one file; this joins a folder's Parquet files into one: python -c \"import "
                "pyarrow.parquet as pq; pq.write_table(pq.read_table('FOLDER'), 'FILE.parquet')\"",
                where="source",
            )
        if not path.is_file():
            raise DoppelError(
                "data.no_file",
                f"{path}: no such file",
                name="source",
                value=name,
                remedy="give its path from the project root, or in full",
                where="source",
            )
        with path.open("rb") as file:
            head = file.read(HEAD)
    return path, head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _format(head: bytes) -> tuple[str, str]:
    """What a file with these first bytes is, and what to do about it."""
    return next((name, do) for name, first, do in FORMATS if re.match(first, head, re.DOTALL))


def _check_format(path: Path, head: bytes, kind: str) -> None:
    if not head:
        raise DoppelError(
            "data.empty_file", "the file is empty", name="source", remedy="write it again", where=str(path)
        )
    if kind == "jsonl" and path.suffix == ".gz":  # unpacked as it is read
        return
    found, remedy = _format(head)
    expected = READ_AS.get(kind, "plain text")
    if found != expected:
        raise DoppelError(
            "data.other_format",
            f"the file begins like {found}, and {kind} reads {expected}",
            name="source",
            value=found,
            remedy=remedy,
            where=str(path),
        )
