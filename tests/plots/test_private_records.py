"""Pictures of private records: each number that is given is drawn where it belongs."""

import numpy as np

from lib.plots import private_records as plots


def test_each_category_has_a_bar_of_its_count_and_its_share_beside_it() -> None:
    (panel,) = plots.attributes_by_category({"direct": 6, "profile": 3, "event": 1, "text": 0}).axes
    assert [bar.get_width() for bar in panel.patches] == [6, 3, 1, 0]
    assert [text.get_text() for text in panel.texts] == ["6 (60%)", "3 (30%)", "1 (10%)", "0 (0%)"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["direct", "profile", "event", "text"]


def test_the_share_of_accepted_revisions_has_an_interval_that_holds_it() -> None:
    (panel,) = plots.acceptance_by_round([(30, 40), (0, 40), (40, 40)]).axes
    assert [bar.get_height() for bar in panel.patches] == [0.75, 0.0, 1.0]
    (ends,) = panel.containers[1].lines[2]
    for (low, high), share in zip(((one[0][1], one[1][1]) for one in ends.get_segments()), (0.75, 0, 1), strict=True):
        assert low - 1e-9 <= share <= high + 1e-9 and 0.05 < high - low < 0.3
    assert [text.get_text() for text in panel.texts] == ["30 of 40", "0 of 40", "40 of 40"]


def test_all_lengths_are_counted_and_the_median_is_marked() -> None:
    (panel,) = plots.lengths([60, 70, 80, 80, 200]).axes
    assert sum(bar.get_height() for bar in panel.patches) == 5
    assert panel.lines[0].get_xdata()[0] == 80
    plots.lengths([50])


def test_a_variant_stands_at_its_score_between_its_ends() -> None:
    (panel,) = plots.vendi_by_ablation({"full": (57.3, 55.0, 59.0), "no revision": (53.2, 51.0, 54.0)}).axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["full", "no revision"]
    values = [one.lines[0].get_xdata()[0] for one in panel.containers]
    ends = [one.lines[2][0].get_segments()[0][:, 0] for one in panel.containers]
    assert values == [57.3, 53.2]
    np.testing.assert_allclose(ends, [[55.0, 59.0], [51.0, 54.0]])
    assert [text.get_text() for text in panel.texts] == ["57.3", "53.2"]
