"""Views of headline metrics: by single training, and by a varied setting."""

from support.utility_toys import matched, records, transferred

from lib.evaluation import views
from lib.evaluation.estimate import Undefined
from lib.evaluation.utility import tstr
from lib.evaluation.utility import views as utility_views


def test_views_by_training_hold_every_arm_and_the_ceiling_last():
    measured = transferred(matched(arm=records(60, 3), unlabelled=records(60, 4, label="colour")))
    made = utility_views.seeds("mood by TF-IDF", measured, tstr.HEADLINE)
    assert [(view.kind, view.name) for view in made] == [("seed", f"training {i}") for i in (1, 2, 3)]
    for number, view in enumerate(made):
        assert list(view.estimates) == ["arm", "unlabelled", views.CEILING] and view.metric == "macro_f1"
        assert view.estimates["arm"] is measured["macro_f1"]["arm"].each[number]
        assert isinstance(view.estimates["unlabelled"], Undefined)


def test_a_view_of_half_of_the_records_holds_its_estimates_and_the_direction_of_the_metric():
    measured = transferred(matched(arm=records(50, 3)).halved(), reverse=False)
    (view,) = utility_views.varied("mood", measured, ("accuracy",), kind="size", name="10 records")
    assert view.estimates["arm"] is measured["accuracy"]["arm"] and view.direction == "higher"
    assert (view.task, view.kind, view.name) == ("mood", "size", "10 records")
