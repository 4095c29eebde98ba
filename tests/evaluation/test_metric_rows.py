"""Rows place each arm between floor and ceiling; tables show them side by side."""

import json

import numpy as np
import pytest
from support.errors import refused
from support.fidelity_toys import around

from lib.evaluation import metric_rows, registry, views
from lib.evaluation.entry import Entry
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.views import CEILING

ENTRIES = (
    Entry("near", "text", "lower", "", title="Near", meaning="", headline=True),
    Entry("like", "text", "match", "", title="Like", meaning="", real_text=False, headline=True),
    Entry("level", "text", "lower", "", title="Level", meaning=""),
)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> list[metric_rows.Row]:
    """Rows of three arms and three metrics, one of which has the same value everywhere."""
    for entry in ENTRIES:
        monkeypatch.setitem(registry.METRICS, entry.name, entry)
    measured = {
        name: {
            "near": around(value, 0.01, i),
            "like": around(value, 0.01, i + 9),
            "level": around(0.5, 0.01, i),
        }
        for i, (name, value) in enumerate({"floor": 0.9, "arm": 0.5, CEILING: 0.1}.items())
    } | {"gone": dict.fromkeys(("near", "like", "level"), Undefined("it has 1 record; add some"))}
    used, of = {"floor": 20, "arm": 20, "gone": 1}, {"floor": 20, "arm": 40, "gone": 1}
    rows = metric_rows.placed("toy", measured, floor="floor", used=used, of=of, headline=True)
    aside = metric_rows.placed("aside", measured, floor="floor", used=used, of=of)
    assert not any(row["headline"] for row in aside)  # the same metrics in a task that is not the main one
    return rows


def test_rows_place_every_arm_and_take_the_rest_from_the_entry(table):
    assert [(row["arm"], row["metric"]) for row in table[:3]] == [("floor", "near"), ("arm", "near"), ("gone", "near")]
    assert {row["metric"] for row in table if row["headline"]} == {"near", "like"}
    assert {row["metric"]: (row["direction"], row["real_text"]) for row in table} == {
        "near": ("lower", True),
        "like": ("match", False),
        "level": ("lower", True),
    }
    assert table[1]["position"] == pytest.approx(0.5) and (table[1]["n"], table[1]["of"]) == (20, 40)
    assert json.loads(json.dumps(table, allow_nan=False)) == table


def test_undefined_values_have_their_reasons_and_no_flat_metric(table):
    assert metric_rows.reasons(table) == {"it has 1 record; add some": 3}  # not where only the position is undefined
    assert not any("gone" in name for name in metric_rows.flat(table) if not name.endswith(("floor", "ceiling")))


def test_a_metric_without_an_entry_gets_no_row():
    measured = {name: {"nera": around(0.5)} for name in ("floor", CEILING)}
    with refused("evaluation.unknown_metric", name="metric", value="nera"):
        metric_rows.placed("toy", measured, floor="floor", used={"floor": 20}, of={"floor": 20})


def test_tables_to_read_show_arms_side_by_side_and_no_minus_zero(table):
    wide = metric_rows.wide(table)
    assert list(wide.columns) == ["better", "floor", "arm", "gone", "ceiling"]
    assert wide.loc[("toy", "Like"), "better"] == "as ceiling" and wide.loc[("toy", "Near"), "gone"] == "not defined"
    assert wide.loc[("toy", "Near"), "arm"].startswith("0.500 ± 0.0")
    assert not metric_rows.table(table)["position"].str.contains("-0 ").any()
    assert metric_rows.wide([]).empty  # a corpus without labels has no classifiers


def test_views_of_one_metric_stand_together_whatever_their_order():
    def view(metric: str, kind: views.Kind, name: str, value: Estimate | Undefined) -> views.View:
        return views.View("t", metric, "higher", kind, name, {"a": value, CEILING: Estimate(0.5, np.zeros(3))})

    seen = [
        view("mauve", "size", "9 records", Estimate(0.25, np.zeros(3))),
        view("frechet", "seed", "seed 1", Undefined("too few")),
        view("mauve", "encoder", "bundled:small", Estimate(0.75, np.zeros(3))),
    ]
    by_view = metric_rows.by_view(seen)
    assert list(by_view.index) == [
        ("t", "Fréchet distance", "seed", "seed 1"),
        ("t", "MAUVE", "encoder", "small"),
        ("t", "MAUVE", "size", "9 records"),
    ]
    assert list(by_view["a"]) == ["not defined", "0.750", "0.250"] and list(by_view[CEILING]) == ["0.500"] * 3


def test_labels_and_a_floor_that_do_not_exist_are_refused():
    histogram = {"cells": [{"mood": "good", "topic": "lens"}]}
    assert metric_rows.label_names(histogram, None) == ["mood", "topic"]
    assert metric_rows.label_names(histogram, ["topic"]) == ["topic"]
    assert metric_rows.label_names(histogram, None, predicted=True) == ["mood", "topic"]  # a label of the corpus' own
    made = histogram | {"topics": ["lens"]}  # by an encoder, and so not predicted unless it is asked for
    assert metric_rows.label_names(made, None, predicted=True) == ["mood"]
    assert metric_rows.label_names(made, None) == ["mood", "topic"]
    assert metric_rows.label_names(made, ["topic"], predicted=True) == ["topic"]
    with refused("evaluation.unknown_label", name="labels", value="mod") as refusal:
        metric_rows.label_names(histogram, ["mod"])
    assert "mood" in refusal.value.remedy
    assert metric_rows.check_floor("base", ["base", "eps8"]) == "base"
    with refused("evaluation.unknown_floor", name="floor", value="bse") as refusal:
        metric_rows.check_floor("bse", ["base", "eps8"])
    assert "base" in refusal.value.remedy
