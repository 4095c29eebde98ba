"""Pictures of sanitized records: what stands where, and that text is escaped."""

import pytest

from lib.plots import sanitization


def test_each_side_has_its_point_and_interval():
    values = {
        "unsanitized": {"direct": (0.9, 0.8, 1.0)},
        "sanitized": {"direct": (0.1, 0.05, 0.2), "records": (0.7, 0.6, 0.8)},
        "masked": {},
    }
    (panel,) = sanitization.rates(values, {"direct": "direct leaks", "records": "clean records"}).axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["direct leaks", "clean records"]
    points = {bars.get_label(): bars.lines[0].get_xydata().tolist() for bars in panel.containers}
    assert points["unsanitized (floor)"] == [[0.9, pytest.approx(-0.2)]]
    assert points["sanitized"] == [[0.1, 0], [0.7, 1]]
    assert len(points) == 2, "a side without rates has no point"


def test_lengths_before_and_after():
    left, right = sanitization.lengths([100, 200], [50, 200]).axes
    assert len(left.patches) == 2
    assert sum(bar.get_height() for bar in right.patches) == 2
    assert right.patches[0].get_x() == 0.5


def test_a_text_stands_before_and_after_in_colour():
    page = sanitization.side_by_side([(("<b>Ann</b> left", [(3, 6, "drop name")]), ("They left", [(0, 4, "new")]))])
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert page.count("<mark") == 2 and "drop name" in page and page.count("<td") == 2
