"""What pre-flight refuses beyond types and ranges: own files, users, inputs, prompts. No kernel is started here."""

import csv
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib import chain
from lib.errors import DoppelError

CORPUS = "00_process_data"
ROWS = [
    {"Review": "a private sentence", "Stars": "positive", "Author": "ann"},
    {"Review": "another", "Stars": "negative", "Author": ""},
]
FITTING = "{text: Review, labels.sentiment: Stars}"


def write(kind: str, path: Path) -> Path:
    if kind == "csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(ROWS[0]))
            table.writeheader()
            table.writerows(ROWS)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def refusal(*changes: str, preset: str = "quick") -> str:
    """The words of pre-flight's refusal; private text must not be among them."""
    with pytest.raises(DoppelError) as error:
        chain.preflight(preset, "check", changes)
    assert "private sentence" not in str(error.value)
    return str(error.value)


def own(source: object, columns: str = FITTING, *more: str) -> list[str]:
    return [f"{CORPUS}.{one}" for one in (f"source={source}", f"columns={columns}", *more)]


# Own files: the first record is read as the stage will read it.


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("{text: Revew, labels.sentiment: Stars}", "no column 'Revew' for text; the columns are Review, Stars, Author"),
        ("{text: Review, sentiment: Stars}", "'sentiment' is not a field of a record; known: id, labels.NAME"),
        ("{text: Review, sentiment: Stars}", "a label is written labels.sentiment"),
        ("{text: Review}", "record 1: has labels [], the domain declares ['sentiment']"),
        ("{text: Review, labels.stars: Stars}", "has labels ['stars'], the domain declares ['sentiment']"),
        ("{text: Review, labels.sentiment: Author}", "(value hidden) is outside the declared domain"),
        ("null", "no column 'text' for text"),
    ],
)
def test_columns_that_do_not_fit_a_file_are_refused(kind: str, columns: str, message: str, tmp_path: Path) -> None:
    path = write(kind, tmp_path / f"mine.{kind}")
    chain.preflight("quick", "check", own(f"{kind}:{path}"))
    said = refusal(*own(f"{kind}:{path}", columns))
    assert message in said and said.startswith("params/quick/00_process_data.yaml: ")


def test_a_file_of_another_kind_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    path = write("csv", tmp_path / "mine.csv")
    assert "not a whole Parquet file" in refusal(*own(f"parquet:{path}"))
    assert "not JSON" in refusal(*own(f"jsonl:{path}"))
    path.write_text("Review,Stars\n")
    assert "holds no record" in refusal(*own(f"csv:{path}"))
    assert f"{tmp_path}/none.csv: no such file" in refusal(*own(f"csv:{tmp_path}/none.csv"))
    assert "no such file" in refusal(f"{CORPUS}.source=yelp:{tmp_path}/none.csv")


def test_a_jsonl_file_in_the_record_schema_needs_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"id": "1", "text": "a private sentence", "labels": {"sentiment": "neutral"}, "user": "ann"}\n')
    changes = [f"{CORPUS}.source=jsonl:{path}", f"{CORPUS}.unit=user"]
    assert chain.preflight("quick", "check", changes).nodes[CORPUS].parameters["columns"] is None
    path.write_text('{"id": "1", "text": "a private sentence", "labels": {"mood": "neutral"}}\n')
    assert "has labels ['mood']" in refusal(changes[0])
    assert "names no user" in refusal(*changes)


def test_a_file_under_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write("csv", tmp_path / "mine.csv")
    assert CORPUS in chain.preflight("quick", "check", own("csv:~/mine.csv")).nodes


def test_fields_of_columns_are_checked_where_nothing_is_read() -> None:
    said = refusal(*own("hub:owner/name", "{text: Review, stars: Stars}"))
    assert re.search(r"columns: 'stars' is not a field of a record; .* a label is written labels\.stars", said)


# The unit of the guarantee: a user that nobody knows is not protected.


@pytest.mark.parametrize("source", ["movie-snippets", "yelp", "openreview", "pubmed"])
def test_user_level_without_users_is_refused(source: str) -> None:
    assert f"unit: user, but nobody knows who wrote what in {source}" in refusal(
        f"{CORPUS}.source={source}", f"{CORPUS}.unit=user"
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_user_level_of_a_file_needs_a_column_of_users(kind: str, tmp_path: Path) -> None:
    source = f"{kind}:{write(kind, tmp_path / f'mine.{kind}')}"
    said = refusal(*own(source, FITTING, "unit=user"))
    assert "unit: user, but the first record" in said and "columns: {user: COLUMN}" in said
    chain.preflight("quick", "check", own(source, "{text: Review, labels.sentiment: Stars, user: Author}", "unit=user"))
