"""The picture of a table's quality."""

import numpy as np
import pytest

from lib.evaluation.estimate import Estimate
from lib.plots.table_quality import quality


def test_each_measure_has_a_panel_and_each_set_a_dot_at_its_value() -> None:
    made = {
        name: {"tv_1": Estimate(value, np.full(9, value)), "forest": Estimate(1 - value, np.full(9, 1 - value))}
        for name, value in (("floor", 0.4), ("eps8", 0.2), ("ceiling", 0.1))
    }
    panels = quality(made, {"tv_1": "columns", "forest": "a forest"}).axes
    assert [panel.get_title() for panel in panels] == ["columns", "a forest"]
    dots = [float(line.get_xdata()[0]) for line in panels[0].lines if line.get_marker() == "o"]
    assert dots == pytest.approx([0.4, 0.2, 0.1])
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["floor", "eps8", "ceiling"]
