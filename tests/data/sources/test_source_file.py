"""The file of a source: found, readable, and of the kind that it is said to be."""

import gzip
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest
from support.source_files import SECRET, WRITERS, refusal, write_csv, write_parquet

from lib.data.sources import load

ROWS = [{"text": SECRET, "stars": 1}]
LINES = f"text,stars\n{SECRET},1\n"


def packed(path: Path) -> None:
    path.write_bytes(gzip.compress(LINES.encode()))


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.csv", LINES)


def database(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (text)")


FILES = {  # what a file holds -> how it is written, what it is said to be, and a word of the advice
    "gzip": (packed, "a gzip archive", "gunzip"),
    "zip": (zipped, "a zip archive, as Excel's .xlsx is", "CSV UTF-8"),
    "sqlite": (database, "an SQLite database", "export"),
    "utf-16": (lambda path: path.write_text(LINES, "utf-16"), "UTF-16 or UTF-32 text, or no text", "iconv -f utf-16"),
    "utf-16-le": (lambda path: path.write_text(LINES, "utf-16-le"), "UTF-16 or UTF-32 text, or no text", "iconv"),
    "utf-32": (lambda path: path.write_text(LINES, "utf-32"), "UTF-16 or UTF-32 text, or no text", "iconv"),
    "array": (lambda path: path.write_text(json.dumps(ROWS, indent=1)), "a JSON array", "one object a line"),
    "csv": (lambda path: write_csv(path, ROWS), "plain text", "csv:PATH"),
    "jsonl": (lambda path: path.write_text("\n " + json.dumps(ROWS[0])), "JSON objects", "jsonl:PATH"),
    "parquet": (lambda path: write_parquet(path, ROWS), "a Parquet file", "parquet:PATH"),
    "no rows": (lambda path: write_parquet(path, [{"text": None}][:0] or [{}]), "a Parquet file", "parquet:PATH"),
}


@pytest.mark.parametrize("kind", [*WRITERS, "yelp"])
@pytest.mark.parametrize("content", FILES)
def test_a_file_of_another_kind_is_named(content: str, kind: str, tmp_path: Path) -> None:
    if content == kind or (content, kind) in (("csv", "yelp"), ("no rows", "parquet")):
        return
    write, found, advice = FILES[content]
    write(tmp_path / "x")
    error = refusal("data.other_format", f"{kind}:{tmp_path / 'x'}")
    assert error.value == found and advice in error.remedy and error.where == str(tmp_path / "x")


def test_a_csv_may_begin_like_a_parquet_file(tmp_path: Path) -> None:
    assert len(load(f"csv:{write_csv(tmp_path / 'x', [{'PAR1': 1, 'text': 'one'}])}").records) == 1


def test_packed_jsonl_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(json.dumps(ROWS[0]).encode()))
    assert len(load(f"jsonl:{tmp_path / 'x.jsonl.gz'}").records) == 1


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf\r\n"])
def test_an_empty_file(kind: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    assert refusal("data.empty_file", f"{kind}:{tmp_path / 'x'}").where == str(tmp_path / "x")


def test_a_folder_is_called_one_and_its_parts_are_joined_as_told(tmp_path: Path) -> None:
    for part in range(2):
        write_parquet(tmp_path / f"part-{part}.parquet", ROWS)
    error = refusal("data.folder", f"parquet:{tmp_path}")
    command = error.remedy.partition('python -c "')[2].rstrip('"')
    exec(command.replace("FOLDER", str(tmp_path)).replace("FILE", str(tmp_path / "all")))
    assert len(load(f"parquet:{tmp_path / 'all.parquet'}").records) == 2


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_that_may_not_be_read_or_is_on_a_broken_disk(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f"{kind}:{WRITERS[kind](tmp_path / 'x', ROWS)}"
    for fault in (PermissionError(13, "no"), OSError(5, "i/o")):

        def refuse(*_: object, fault: OSError = fault, **__: object) -> None:
            raise fault

        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", refuse)
            assert refusal("common.system", source).where == str(tmp_path / "x")


def test_a_home_folder_of_nobody(tmp_path: Path) -> None:
    assert refusal("data.no_file", "csv:~nobody-of-this-name/x.csv").value == "~nobody-of-this-name/x.csv"
