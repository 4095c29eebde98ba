"""Macro-F1 against the number of records as rows, flat metrics and a table."""

import numpy as np
import pytest

from lib.evaluation import by_size
from lib.evaluation.estimate import Estimate, Undefined

FOUND = {
    "arm": {300: Estimate(0.5, np.array([0.4, 0.6])), 1000: Undefined("why")},
    "real": {300: Estimate(0.6, np.array([0.6, 0.6])), 2500: Estimate(0.8, np.array([0.8, 0.8]))},
}


def test_each_value_is_a_row_and_real_records_are_no_arm():
    rows = by_size.rows("mood by TF-IDF", FOUND, real="real")
    assert [(row["arm"], row["records"], row["value"]) for row in rows] == [
        ("arm", 300, 0.5), (None, 300, 0.6), (None, 2500, 0.8),
    ]  # fmt: skip
    assert rows[0]["value_low"] < 0.5 < rows[0]["value_high"] and rows[2]["value_low"] == 0.8


def test_flat_metrics_name_set_and_number():
    flat = by_size.flat(by_size.rows("mood by TF-IDF", FOUND, real="real"))
    assert flat["mood by TF-IDF/macro_f1/arm at 300"] == 0.5
    assert flat["mood by TF-IDF/macro_f1/real records at 2500/value_high"] == pytest.approx(0.8)
    assert len(flat) == 9


def test_the_table_has_a_column_for_each_number():
    table = by_size.table(by_size.rows("mood by TF-IDF", FOUND, real="real"))
    assert list(table.columns) == ["300 records", "1,000 records", "2,500 records"][::2]
    assert table.loc[("mood by TF-IDF", "arm"), "2,500 records"] == ""
    assert table.loc[("mood by TF-IDF", "real records"), "2,500 records"].startswith("0.8")
    assert by_size.table([]).empty
