"""The declared domain of a table: what is fitted, what is refused, and that no value is shown."""

import pytest
from support.errors import refused

from lib.data.tables.domain import as_text, columns_of, fit, from_text

DECLARED = {"age": {"low": 0, "high": 100}, "weight": {"low": 1.0, "high": 9.5, "decimals": 1}, "pet": ["cat", "dog"]}
COLUMNS = columns_of(DECLARED, missing=["weight"])
ROW = {"age": 41, "weight": 2.5, "pet": "cat"}


def test_rows_are_fitted_as_declared() -> None:
    assert fit({"pet": " cat", "weight": "2.54", "age": "41.4", "secret": "x"}, COLUMNS, "row 1") == ROW
    assert fit({"age": 1e9, "weight": -5, "pet": "dog"}, COLUMNS, "") == {"age": 100, "weight": 1.0, "pet": "dog"}
    for empty in (None, "", float("nan"), "  "):
        assert fit(ROW | {"weight": empty}, COLUMNS, "")["weight"] is None
    assert from_text(as_text(ROW)) == ROW and as_text(fit(ROW, COLUMNS, "")) == as_text(ROW)


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"age": "secret"}, "data.cell_no_number", "age"),
        ({"age": "inf"}, "data.cell_no_number", "age"),
        ({"age": ""}, "data.cell_empty", "age"),
        ({"pet": "secret"}, "data.label_outside_domain", "pet"),
    ],
)
def test_what_does_not_fit_is_refused_and_not_shown(change: dict, code: str, name: str) -> None:
    with refused(code, name=name) as error:
        fit(ROW | change, COLUMNS, "row 7")
    assert "secret" not in str(error.value) + repr(vars(error.value)) and error.value.where == "row 7"
    with refused("data.column_missing", name="pet"):
        fit({"age": 1, "weight": 2}, COLUMNS, "")


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ({}, "data.no_columns"),
        ({"a": ["x"]}, "data.column_values"),
        ({"a": ["1", "1.0"]}, "data.column_values"),
        ({"a": {"low": 1, "high": 1}}, "data.column_range"),
        ({"a": {"low": 1}}, "data.column_range"),
        ({"a": {"low": 1, "high": 2, "step": 1}}, "data.column_range"),
        ({"a": {"low": 1, "high": 2, "decimals": 0.5}}, "data.column_range"),
    ],
)
def test_domains_that_cannot_be(declared: dict, code: str) -> None:
    with refused(code):
        columns_of(declared)
    with refused("data.unknown_column", name="missing", value="wieght"):
        columns_of(DECLARED, missing=["wieght"])
