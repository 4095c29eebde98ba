"""Rows become a train and a test set, and one unit more changes the train set by that unit alone."""

from collections import Counter
from pathlib import Path

import pytest
from support.errors import refused

from lib.data.sources import rows as sources
from lib.data.sources.rows import Rows
from lib.data.tables.domain import columns_of
from lib.data.tables.processing import process

COLUMNS = columns_of({"n": {"low": 0, "high": 9}, "kind": ["a", "b"]})
TABLE = [{"n": i % 7, "kind": "ab"[i % 2], "who": f"u{i // 4}"} for i in range(40)]  # some rows are equal


def processed(table: list[dict], **changes: object):
    given = {"label": "kind", "test_fraction": 0.3} | changes
    return process(Rows(iter((f"row {i}", row) for i, row in enumerate(table, 1)), "toy"), COLUMNS, **given)


@pytest.mark.parametrize("unit", ["record", "user"])
def test_one_unit_more_adds_itself_to_train_and_changes_nothing_else(unit: str) -> None:
    rules = {"unit": unit} | ({"user": "who", "max_records_per_user": 2} if unit == "user" else {})
    whole = Counter(row.content for row in processed(TABLE, **rules).train)
    for gone in {row["who"] for row in TABLE} if unit == "user" else range(40):
        left = [row for i, row in enumerate(TABLE) if gone not in (i, row["who"])]
        without = Counter(row.content for row in processed(left, **rules).train)
        assert not without - whole and (whole - without).total() <= (4 if unit == "user" else 1)


def test_equal_rows_stay_and_stand_on_one_side() -> None:
    made = processed([TABLE[0]] * 5 + TABLE)
    assert len(made.train) + len(made.test) == 45
    assert not {r.text for r in made.train} & {r.text for r in made.test}
    assert made.train[0].labels["kind"] in "ab" and repr(made.train[0].text) == "<private text>"


def test_what_cannot_be_processed(tmp_path: Path) -> None:
    with refused("data.label_no_category", name="label", value="n"):
        processed(TABLE, label="n")
    with refused("data.bound_by_record"):
        processed(TABLE, max_records_per_user=1)
    with refused("data.user_missing"):
        processed(TABLE, unit="user")
    with refused("data.out_of_range", name="test_fraction"):
        processed(TABLE, test_fraction=1.0)
    with refused("data.side_empty"):
        processed(TABLE, test_fraction=1e-12)
    with refused("data.cell_no_number") as error:
        processed([*TABLE, {"n": "x", "kind": "a"}])
    assert error.value.where == "row 41"


def test_rows_of_files_and_of_scikit_learn(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n,kind\n1,a\n2,b\n")
    table = sources.read_rows("csv", str(tmp_path / "x.csv"))
    assert [cells for _, cells in table.cells] == [{"n": "1", "kind": "a"}, {"n": "2", "kind": "b"}]
    assert table.files == (tmp_path / "x.csv",)
    public = [cells for _, cells in sources.read_rows("sklearn", "breast-cancer").cells]
    assert len(public) == 569 and public[0]["diagnosis"] == "malignant" and 17 < public[0]["mean_radius"] < 18
    with refused("data.unknown_table", name="source", value="titanic"):
        sources.read_rows("sklearn", "titanic")
