"""Pictures of utility draw arms, floors, ceilings and baselines, and leave out what is undefined."""

import pytest
from support.utility_toys import matched, records, transferred

from lib.evaluation import metric_rows
from lib.evaluation.utility import linear_classifiers, tstr
from lib.evaluation.utility import views as utility_views
from lib.plots import utility


def test_pictures_draw_arms_floors_ceilings_and_baselines_and_leave_out_what_is_undefined():
    compared = matched(arm=records(60, 3), unlabelled=records(60, 4, label="colour"))
    measured = transferred(compared)
    rows = metric_rows.placed_sets("mood", measured, compared, floor="unlabelled", used=40)
    rows += metric_rows.placed_sets("again", measured, compared, floor="arm", used=40)
    scores = utility.scores(rows, baseline={"accuracy": 0.5}, baseline_name="majority")
    panels = [axes for axes in scores.axes if axes.get_xlabel() in ("Accuracy", "Macro-F1")]
    dotted = [[line.get_linestyle() for line in axes.lines].count(":") for axes in panels]
    assert len(scores.axes) == len(measured) == 4 and dotted == [1, 0]
    legend = [text.get_text() for text in scores.axes[-1].get_legend().get_texts()]
    assert legend == ["floor", "ceiling", "majority"]
    by_view = utility.views(utility_views.seeds("mood", measured, ("accuracy", "macro_f1")))
    assert len(by_view.axes) == 2
    assert [text.get_text() for text in by_view.axes[0].get_yticklabels()] == [f"seed: training {i}" for i in (3, 2, 1)]
    (empty,) = utility.positions(rows).axes
    assert empty.get_legend() is None and "no metric can place an arm" in empty.get_title()


def test_positions_stand_under_their_task_and_only_arms_that_have_a_position_are_in_the_legend():
    row = {"task": "mood", "metric": "accuracy", "arm": "base", "value": 0.4, "floor": 0.4, "position": 0.0,
           "position_low": 0.0, "position_high": 0.0}  # fmt: skip
    better = row | {"arm": "eps8", "value": 0.5, "position": 0.5, "position_low": 0.4, "position_high": 0.6}
    rows = [row, better, better | {"task": "next token", "metric": "perplexity"}, better | {"metric": "macro_f1"}]
    (panel,) = utility.positions(rows).axes
    shown = [(label.get_text(), label.get_fontweight()) for label in panel.get_yticklabels()][::-1]
    metrics = [("Accuracy", "normal"), ("Macro-F1", "normal")]
    assert shown == [("mood", "bold"), *metrics, ("next token", "bold"), ("Perplexity", "normal")]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["eps8"]  # a floor has no place of its own
    heights = sorted(float(line.get_ydata()[0]) for line in panel.lines if list(line.get_xdata()) == [0.5])
    assert heights == [0, 2, 3]  # from below: perplexity, then its task, macro-F1, accuracy


@pytest.mark.parametrize(("position", "edge", "marker"), [(-2.5, -1.5, "<"), (4.0, 2.5, ">"), (2.4, 2.4, "o")])
def test_an_arm_outside_the_picture_of_positions_is_an_arrow_at_its_edge(position: float, edge: float, marker: str):
    row = {"task": "texts", "metric": "self_bleu", "arm": "aug_pe", "value": 0.9, "floor": 0.4, "position": position,
           "position_low": position - 0.3, "position_high": position + 0.3}  # fmt: skip
    (panel,) = utility.positions([row]).axes
    value, *caps = (line for line in panel.lines if list(line.get_ydata()) == [0])
    assert (list(value.get_xdata()), value.get_marker()) == ([edge], marker) and not value.get_clip_on()
    ends = [cap.get_xdata()[0] for cap in caps]
    assert ends == pytest.approx([min(position - 0.3, edge), max(position + 0.3, edge)])  # an interval runs off


def test_the_picture_by_size_has_a_line_for_each_set_at_the_numbers_that_it_has():
    compared = matched(small=records(30, 3), large=records(60, 4), unlabelled=records(40, 5, label="colour"))
    fit = linear_classifiers.tfidf(compared.texts)
    found = tstr.by_size(compared, "mood", fit, sizes=[20, 50], seeds=3, draws=9, seed=0)
    left, right = utility.by_size({"TF-IDF": found, "again": found}).axes
    assert [left.get_title(), right.get_title()] == ["TF-IDF", "again"]
    lines = [list(line.get_xdata()) for line in left.lines if line.get_linestyle() == "-"]
    expected = [[20, 30], [20, 50, 60], [20, 50, 200]]  # beside each other, so a little off
    for line, numbers in zip(filter(None, lines), expected, strict=True):
        assert line == pytest.approx(numbers, rel=0.05)
    assert [text.get_text() for text in left.get_xticklabels()] == ["20", "30", "40", "50", "60", "200"]
    names = [text.get_text() for text in right.get_legend().get_texts()]
    assert names == ["small", "large", "unlabelled", "real"]
