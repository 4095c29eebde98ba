"""Pictures of a check: each set and each detector has its marks, in the right places."""

import numpy as np
import pytest

from lib.plots import pii_check


def row(detector: str, name: str, value: float | None, label: str = "all", metric: str = "strict_f1") -> dict:
    ends = (None, None) if value is None else (value - 0.1, value + 0.1)
    return {"detector": detector, "set": name, "class": label, "metric": metric, "value": value} | dict(
        zip(("low", "high"), ends, strict=True)
    )


def test_spans_stand_under_their_text() -> None:
    (panel,) = pii_check.marked("Ann in Rome", {"labelled": [(0, 3, "PERSON")], "found": [(7, 11, "LOCATION")]}).axes
    assert [(bar.get_x(), bar.get_width()) for bar in panel.patches] == [(0, 3), (7, 4)]
    assert {text.get_text() for text in panel.texts} >= {"PERSON", "LOCATION", "A"}


def test_shares_are_those_of_each_set() -> None:
    (panel,) = pii_check.shares({"a": {"X": 0.7, "Y": 0.3}, "b": {"Z": 1.0}}).axes
    assert [bar.get_width() for bar in panel.patches] == [0.7, 0.3, 0, 0, 0, 1.0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["X", "Y", "Z"]


def test_lengths_have_a_line_for_each_set() -> None:
    counts = {"a": np.array([1, 2, 3]), "b": np.array([100, 200, 90_000])}
    words, spans = pii_check.lengths(counts, {"a": np.array([0, 0]), "b": np.array([0, 1])}).axes
    assert len(words.patches) == len(spans.patches) == 2


def test_home_and_away_are_joined_for_each_detector() -> None:
    rows = [
        row("trained", "home", 0.9),
        row("trained", "far", 0.6),
        row("rules", "home", None),
        row("rules", "far", 0.2),
    ]
    (panel,) = pii_check.gaps(rows, ["strict_f1"]).axes
    lines = [line for line in panel.lines if len(line.get_xdata()) == 2 and line.get_color() == pii_check.GREY]
    assert [sorted(line.get_xdata()) for line in lines] == [[0.6, 0.9], [0.2, 0.2]]
    marks = [line.get_xdata()[0] for line in panel.lines if line.get_marker() in "os" and len(line.get_xdata()) == 1]
    assert marks == pytest.approx([0.9, 0.6, 0.2])


def test_classes_have_a_line_each() -> None:
    rows = [row("trained", name, value, label) for label in ("X", "Y") for name, value in (("home", 0.9), ("far", 0.5))]
    (panel,) = pii_check.by_class([*rows, row("trained", "far", None, "Z")], ["strict_f1"]).axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["X", "Y", "Z"]
    heights = [line.get_ydata()[0] for line in panel.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1]
    assert heights == pytest.approx([-0.125, 0.125, 0.875, 1.125])
