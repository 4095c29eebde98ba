"""Seeds: drawn by shares, or a user's file, which is checked column by column without showing a cell."""

from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from support.errors import codes, refused
from support.record_toys import table

from lib.common.errors import DoppelError
from lib.pii.locales import locale_named
from lib.private_records import seeds
from lib.private_records.fields import fields
from lib.private_records.seeds import AGES, COLUMNS, YEARS

ROWS = [{"first_name": "Ada", "age": "44", "sex": "Female"}, {"first_name": "", "age": "19", "sex": "male"}]


def write(path: Path, rows: list[dict], kind: str) -> str:
    frame, file = pd.DataFrame(rows), path / f"seeds.{kind}"
    if kind == "csv":
        frame.to_csv(file, index=False)
    elif kind == "jsonl":
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_parquet(file)
    return f"public:{kind}:{file}"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_file_of_each_format_is_read_and_what_is_empty_is_left_to_be_drawn(tmp_path: Path, kind: str) -> None:
    read = seeds.read(write(tmp_path, ROWS, kind), table())
    assert read == [{"first_name": "Ada", "age": "44", "sex": "female"}, {"age": "19", "sex": "male"}]


def test_an_unknown_column_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with refused("private_records.seed_column", value="marital_statsu") as error:
        seeds.read(write(tmp_path, [{"age": "44", "marital_statsu": "single"}], "csv"), table())
    assert "marital_status?" in error.value.remedy


def test_a_first_line_that_is_data_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text("Rosalind,1952-03-04,widowed\nAda,1990-01-01,single\n")
    with refused("private_records.seed_column", value=None) as error:
        seeds.read(f"public:csv:{path}", table())
    assert not [cell for cell in ("Rosalind", "1952", "widowed") if cell in str(error.value)]


@pytest.mark.parametrize(
    "column, value",
    [("age", "17"), ("age", "ninety"), ("age", "90"), ("date", "1812-04-05"), ("date", "31.12.2003"), ("sex", "woman"),
     ("morality", "evil"), ("blood_type", "C+"), ("country", "Atlantis"), ("first_name", "A[FIRSTNAME]"),
     ("marital_status", "m" * 61), ("native_language", "a\nb")],
)  # fmt: skip
def test_a_value_out_of_range_is_told_by_its_row_and_hidden(tmp_path: Path, column: str, value: str) -> None:
    rows = [{"disability": "none", column: None}, {"disability": "none", column: value}]
    with refused("private_records.seed_value", name=column) as error:
        seeds.read(write(tmp_path, rows, "jsonl"), table())
    assert "line 2" in str(error.value) and value not in error.value.sentence


def test_all_bad_cells_are_told_at_once_up_to_a_number(tmp_path: Path) -> None:
    with pytest.raises(DoppelError) as error:
        seeds.read(write(tmp_path, [{"age": "3", "sex": "x"}] * 50, "csv"), table())
    assert codes(error.value) == ["private_records.seed_value"] * seeds.SHOWN


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("csv:", "privacy.source_not_declared"),
        ("", "privacy.source_not_declared"),
        ("public:json:", "data.unknown_source"),
        ("public:rotten-tomatoes", "private_records.seeds_kind"),
        ("public:csv:results/", "privacy.source_made_by_a_run"),
    ],
)
def test_a_table_of_people_must_be_a_file_that_is_declared_public(tmp_path: Path, prefix: str, code: str) -> None:
    """Records are written about its people without any noise."""
    path = "" if prefix == "public:rotten-tomatoes" else "x.csv" if "results" in prefix else tmp_path / "seeds.csv"
    with refused(code):
        seeds.read(f"{prefix}{path}", table())


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "seeds.csv").write_text("age,sex\n")
    with refused("private_records.no_seeds"):
        seeds.read(f"public:csv:{tmp_path / 'seeds.csv'}", table())


def test_what_is_drawn_has_the_ranges_and_shares_of_the_lists() -> None:
    lists, countries = table(), {"United States": 0.75, "Germany": 0.25}
    rows = [lists.complete({}, seed, countries) for seed in range(800)]
    assert all(set(row) == set(COLUMNS) - {"first_name"} for row in rows)
    ages = [int(row["age"]) for row in rows]
    assert (min(ages), max(ages)) == AGES
    years = Counter(date.fromisoformat(row["date"]).year for row in rows)
    assert (min(years), max(years)) == YEARS and max(years.values()) < 4 * min(years.values())
    assert 0.69 < Counter(row["country"] for row in rows)["United States"] / 800 < 0.81
    assert 0.31 < Counter(row["blood_type"] for row in rows)["O+"] / 800 < 0.45


def test_what_is_given_changes_no_other_column() -> None:
    lists = table()
    drawn = lists.complete({}, 5, {"India": 1.0})
    assert lists.complete({"age": "31", "sex": "male"}, 5, {"India": 1.0}) == drawn | {"age": "31", "sex": "male"}


@pytest.mark.parametrize("countries", [{}, {"India": 0.0}, {"Indai": 1.0}])
def test_shares_of_countries_that_cannot_be_drawn_from_are_refused(countries: dict[str, float]) -> None:
    with refused("private_records.countries", name="countries"):
        seeds.check_countries(countries, table())


def test_every_country_has_a_locale_and_every_field_of_a_person_is_no_column_but_those_with_a_slot() -> None:
    for country in table().countries.values():
        assert locale_named(country.locale)
    shared = {field.name for field in fields().values()} & set(COLUMNS)
    assert shared == {"first_name", "sex", "age", "date", "blood_type"}
