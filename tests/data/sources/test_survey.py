"""What the columns of a source hold, and which are proposed as text, labels and user."""

from pathlib import Path

import datasets
import pytest
from support.errors import refused
from support.source_files import SECRET, WRITERS, write_csv, write_jsonl

from lib.data.sources import survey

ROWS = [
    {
        "Key": str(i),
        "Review": f"{SECRET}, number {i}",
        "Stars": float(i % 2 + 1),
        "Mood": "good" if i % 3 else "bad",
        "Rare": "y" if i < 3 else "n",
        "Gap": "" if i == 5 else "ab"[i % 2],
        "author_id": f"u{i % 9}",
    }
    for i in range(150)
]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_survey_of_a_file(kind: str, tmp_path: Path) -> None:
    source = survey.source_of(str(WRITERS[kind](tmp_path / "file", ROWS)))
    assert source == f"{kind}:{tmp_path / 'file'}"
    columns = {column.name: column for column in survey.survey(source)}
    assert list(columns) == list(ROWS[0])
    assert columns["Stars"].values == {"1": 75, "2": 75} and columns["Key"].has_many and columns["Gap"].empty == 1
    assert SECRET not in repr(columns)
    assert survey.guess_text(columns.values()) == "Review"
    assert survey.guess_labels(columns.values(), ["Review"], 100) == ["Stars", "Mood"]
    assert survey.guess_labels(columns.values(), ["Review", "Stars"], 100) == ["Mood"]
    assert survey.guess_labels(columns.values(), ["Review"], 3) == ["Stars"]  # together they make 4 combinations
    assert survey.guess_user(columns.values()) == "author_id"


def test_lists_and_late_keys_of_jsonl(tmp_path: Path) -> None:
    rows = [{"text": "one", "tags": ["a"], "n": 1}, {"text": "two", "n": 2, "late": 3}]
    columns = survey.survey(f"jsonl:{write_jsonl(tmp_path / 'x', rows)}")
    assert [(column.name, column.is_plain, column.empty) for column in columns] == [
        ("text", True, 0), ("tags", False, 1), ("n", True, 0),
    ]  # fmt: skip
    assert survey.survey(f"jsonl:{write_jsonl(tmp_path / 'x', [{'id': '1', 'text': 'a', 'labels': {}}])}") is None


def test_columns_of_one_name_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text,a,a\none two,1,2\n")
    assert [column.name for column in survey.survey(f"csv:{tmp_path / 'x.csv'}")] == ["text"]


@pytest.mark.parametrize("first", [f"{SECRET},5", f"{SECRET}!,good", "x@y.z,good", "zq,good"])
def test_a_first_line_that_is_a_record_is_refused_and_hidden(first: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"{first}\none more,good\nanother one,bad\n")
    with refused("data.no_header") as error:
        survey.survey(f"csv:{tmp_path / 'x.csv'}")
    assert first.partition(",")[0] not in str(error.value)


def test_a_header_of_numbers_is_one_where_the_text_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [{"body": "one", "2019": "5"}])
    with refused("data.no_header"):
        survey.survey(f"csv:{path}")
    assert [column.name for column in survey.survey(f"csv:{path}", "body")] == ["body", "2019"]


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_sign_than_a_comma_is_named(sign: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"text{sign}stars\n{SECRET}, {SECRET}{sign}5\n")
    with refused("data.other_delimiter", value=name):
        survey.survey(f"csv:{tmp_path / 'x.csv'}")


def test_a_dataset_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])}
    )
    held = datasets.Dataset.from_dict({"text": ["one", "two"], "label": [0, 1]}, features=features)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: held)
    columns = survey.survey(survey.source_of("hub:some/reviews"))
    assert [(column.name, dict(column.values)) for column in columns] == [
        ("text", {"one": 1, "two": 1}), ("label", {"bad": 1, "good": 1}),
    ]  # fmt: skip


def test_a_source_of_known_columns_is_refused() -> None:
    with refused("data.not_own_columns", value="yelp"):
        survey.source_of("yelp:dev.csv")
