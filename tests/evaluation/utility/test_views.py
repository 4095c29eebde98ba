"""Views of headline metrics: single trainings, halved sets; and the pictures of notebook 06 draw every kind of row."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from support.utility_toys import matched, moved, records

from lib.common.errors import DoppelError
from lib.evaluation import comparison_sets, metric_rows, views
from lib.evaluation.estimate import Undefined
from lib.evaluation.utility import linear_classifiers, training_resamples, tstr
from lib.evaluation.utility import views as viewed
from lib.plots import utility


def test_each_training_apart_is_its_own_estimate_and_their_mean_is_the_value():
    right = (np.random.default_rng(0).random((5, 60)) < np.array([0.2, 0.4, 0.5, 0.6, 0.9])[:, None]).astype(float)
    found = training_resamples.over_trainings(lambda one, rows: one[rows].mean(), right, draws=90, seed=0, apart=5)
    assert [one.value for one in found.each] == pytest.approx(right.mean(axis=1).tolist())
    assert found.value == pytest.approx(np.mean([one.value for one in found.each]))
    assert found.draws.std() > max(one.draws.std() for one in found.each)  # trainings differ by more than test records
    assert {len(one.draws) for one in found.each} == {90}
    expected = np.sqrt(0.5 * 0.5 / 60)
    assert found.each[2].draws.std(ddof=1) == pytest.approx(expected, rel=0.25)  # of a share among 60 records


def test_views_by_training_hold_every_arm_and_the_ceiling_last():
    compared = matched(one=records(60, 3), none=records(60, 4, label="colour"))
    found = moved(compared)
    seen = viewed.seeds("mood by TF-IDF", found, tstr.METRICS, tstr.HEADLINE)
    assert [(one.kind, one.name) for one in seen] == [("seed", f"training {i}") for i in (1, 2, 3)]
    for number, view in enumerate(seen):
        assert list(view.estimates) == ["one", "none", views.CEILING] and view.metric == "macro_f1"
        assert view.estimates["one"] is found["macro_f1"]["one"].each[number]
        assert isinstance(view.estimates["none"], Undefined)


def test_half_of_the_records_is_half_of_each_set_judged_by_the_same():
    compared = matched(one=records(50, 3), other=records(30, 4))
    half = compared.halved()
    assert half.n == 15 and half.sizes == compared.sizes
    for name, rows in half.rows.items():
        whole = compared.rows[name]
        assert rows.tolist() == (whole if name == comparison_sets.HELD_OUT else whole[:15]).tolist()
    found = moved(half, reverse=False)
    (view,) = viewed.varied("mood", found, tstr.METRICS, ("accuracy",), kind="size", name="10 records")
    assert view.estimates["one"] is found["accuracy"]["one"] and view.direction == "higher"


def test_fewer_held_out_records_can_judge():
    compared = matched(one=records(30, 3))
    assert (
        compared.judged_by(20).rows[comparison_sets.HELD_OUT].tolist()
        == compared.rows[comparison_sets.HELD_OUT][:20].tolist()
    )
    assert len(compared.judged_by(1000).rows[comparison_sets.HELD_OUT]) == 60
    with pytest.raises(DoppelError, match="8 held-out records were to judge, an interval needs 9"):
        compared.judged_by(8)


def test_texts_are_encoded_once_but_for_those_that_no_classifier_reads():
    compared, read = matched(one=records(30, 3)), []

    def encode(texts: list[str]) -> np.ndarray:
        read.extend(texts)
        return np.array([[len(text), 1.0] for text in texts])

    vectors = compared.encoded(encode)
    again = compared.rows[comparison_sets.REAL_AGAIN]
    assert len(read) == len(compared.texts) - len(again) and not vectors[again].any()
    for row in set(range(len(compared.texts))) - set(again.tolist()):
        assert vectors[row].tolist() == [len(compared.texts[row]), 1.0]


def test_headline_metrics_are_marked_in_the_rows():
    compared = matched(one=records(60, 3), other=records(60, 4))
    rows = metric_rows.placed_sets("mood", moved(compared), compared, floor="other", used=40,
                        headline=True)  # fmt: skip
    assert {row["metric"] for row in rows if row["headline"]} == {"macro_f1"}
    assert not any(row["headline"] for row in metric_rows.placed_sets("mood", moved(compared), compared,
                                                           floor="other", used=40))  # fmt: skip


def test_pictures_draw_arms_floors_ceilings_and_what_is_not_defined():
    compared = matched(one=records(60, 3), none=records(60, 4, label="colour"))
    found = moved(compared)
    rows = metric_rows.placed_sets("mood", found, compared, floor="none", used=40)
    rows += metric_rows.placed_sets("again", found, compared, floor="one", used=40)
    seen = viewed.seeds("mood", found, tstr.METRICS, ("accuracy", "macro_f1"))
    scores = utility.scores(rows, baseline={"accuracy": 0.5})
    panels = [axes for axes in scores.axes if axes.get_xlabel() in ("Accuracy", "Macro-F1")]
    dotted = [[line.get_linestyle() for line in axes.lines].count(":") for axes in panels]
    assert len(scores.axes) == len(tstr.METRICS) and dotted == [1, 0]
    by_view = utility.views(seen)
    assert len(by_view.axes) == 2
    assert [text.get_text() for text in by_view.axes[0].get_yticklabels()] == [f"seed: training {i}" for i in (3, 2, 1)]
    (empty,) = utility.positions(rows).axes
    assert empty.get_legend() is None and "no metric can place an arm" in empty.get_title()
    plt.close("all")


def test_positions_stand_under_their_task_and_only_arms_that_have_one_are_named():
    row = {"task": "mood", "metric": "accuracy", "arm": "base", "value": 0.4, "floor": 0.4, "position": 0.0,
           "position_low": 0.0, "position_high": 0.0}  # fmt: skip
    better = row | {"arm": "eps8", "value": 0.5, "position": 0.5, "position_low": 0.4, "position_high": 0.6}
    rows = [row, better, better | {"task": "next token", "metric": "perplexity"}, better | {"metric": "macro_f1"}]
    (panel,) = utility.positions(rows).axes
    shown = [(label.get_text(), label.get_fontweight()) for label in panel.get_yticklabels()][::-1]
    metrics = [("Accuracy", "normal"), ("Macro-F1", "normal")]
    assert shown == [("mood", "bold"), *metrics, ("next token", "bold"), ("Perplexity", "normal")]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["eps8"]  # a floor has no place of its own
    places = sorted(float(line.get_ydata()[0]) for line in panel.lines if list(line.get_xdata()) == [0.5])
    assert places == [0, 2, 3]  # from below: perplexity, then its task, macro-F1, accuracy
    plt.close("all")


@pytest.mark.parametrize(("position", "edge", "marker"), [(-2.5, -1.5, "<"), (4.0, 2.5, ">"), (2.4, 2.4, "o")])
def test_an_arm_outside_the_picture_of_positions_is_an_arrow_at_its_edge(position: float, edge: float, marker: str):
    row = {"task": "texts", "metric": "self_bleu", "arm": "aug_pe", "value": 0.9, "floor": 0.4, "position": position,
           "position_low": position - 0.3, "position_high": position + 0.3}  # fmt: skip
    (panel,) = utility.positions([row]).axes
    value, *caps = (line for line in panel.lines if list(line.get_ydata()) == [0])
    assert (list(value.get_xdata()), value.get_marker()) == ([edge], marker) and not value.get_clip_on()
    ends = [cap.get_xdata()[0] for cap in caps]
    assert ends == pytest.approx([min(position - 0.3, edge), max(position + 0.3, edge)])  # an interval runs off
    plt.close("all")


def test_a_regression_on_vectors_finds_what_they_tell():
    compared = matched(one=records(60, 3))
    codes, _ = compared.codes("mood")
    telling = np.random.default_rng(0).normal(size=(len(codes), 4)) + 3 * codes[:, None]
    assert moved(compared, linear_classifiers.embedded(telling))["accuracy"]["one"].value > 0.95
