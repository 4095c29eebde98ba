"""Scores against scikit-learn, transfer against a plain loop, and what degenerate arms give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from support.errors import refused
from support.utility_toys import matched, records, transferred

from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation import metric_rows, registry
from lib.evaluation.comparison_sets import HELD_OUT, REAL
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.utility import linear_classifiers, tstr


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_scores_equal_those_of_scikit_learn(pairs):
    predicted, truth = np.array(pairs).T
    assert tstr.accuracy(predicted, truth) == pytest.approx(accuracy_score(truth, predicted))
    expected = f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    assert tstr.macro_f1(predicted, truth) == pytest.approx(expected)
    most_frequent = np.bincount(truth).argmax()
    assert tstr.majority_rate(truth) == pytest.approx(accuracy_score(truth, np.full(len(truth), most_frequent)))


@pytest.mark.parametrize(
    ("family", "module"),
    [("transfer", "tstr"), ("importance", "feature_importance"), ("next_token", "next_token")],
)
def test_functions_of_a_family_are_in_the_module_that_calls_them(family: registry.Family, module: str):
    """So a stage that imports the module counts their code."""
    assert {entry.module for entry in registry.family(family)} == {f"lib.evaluation.utility.{module}"}


def test_good_text_is_at_the_ceiling_and_random_labels_at_chance():
    compared = matched(good=records(90, 3), random=records(90, 4, noise=1.0))
    measured = transferred(compared)
    assert measured["accuracy"]["good"].value > 0.95 and measured["accuracy"]["real"].value > 0.95
    assert 0.25 < measured["accuracy"]["random"].value < 0.75
    assert measured["reverse_accuracy"]["good"].value > 0.95
    assert 0.3 < measured["reverse_accuracy"]["random"].value < 0.7  # a real model is right, their labels are not
    rows = metric_rows.placed_sets("mood", measured, compared, floor="random", used=60)
    good = next(row for row in rows if row["arm"] == "good" and row["metric"] == "accuracy")
    assert good["position"] == pytest.approx(1, abs=0.1) and good["at_ceiling"] and good["real_text"]
    assert metric_rows.flat(rows)["mood/accuracy/good"] == good["value"]


def test_the_value_is_the_mean_accuracy_of_a_plain_loop_over_trainings_on_two_thirds():
    compared = matched(arm=records(60, 3, noise=0.5))
    codes, _ = compared.codes("mood")
    held_out, fit = compared.rows[HELD_OUT], linear_classifiers.tfidf(compared.texts)
    measured = transferred(compared)
    expected, reverse = [], []
    for number in range(3):
        order = np.random.default_rng([0, number]).permutation(60)[:40]
        rows, real = compared.rows["arm"][order], compared.rows[REAL][order]
        expected.append(np.mean(fit(rows, codes[rows], held_out, number) == codes[held_out]))
        judged = compared.rows["arm"][:60]
        reverse.append(np.mean(fit(real, codes[real], judged, number) == codes[judged]))
    assert measured["accuracy"]["arm"].value == pytest.approx(np.mean(expected))
    assert measured["reverse_accuracy"]["arm"].value == pytest.approx(np.mean(reverse))


def test_every_training_is_reported_as_progress():
    calls = []
    transferred(matched(arm=records(40, 3), other=records(40, 4)), progress=lambda: calls.append(1))
    assert len(calls) == (2 + 1) * 3


def test_an_arm_with_a_single_label_value_always_predicts_it():
    compared = matched(single=records(40, 3, only="good"), other=records(40, 4))
    measured = transferred(compared)
    codes, values = compared.codes("mood")
    share = np.mean(codes[compared.rows[HELD_OUT]] == values.index("good"))
    assert measured["accuracy"]["single"].value == pytest.approx(share)
    assert measured["reverse_accuracy"]["single"].value > 0.9


def test_an_arm_without_the_label_is_undefined_and_the_others_are_not():
    compared = matched(unlabelled=records(40, 3, label="colour"), other=records(40, 4))
    measured = transferred(compared)
    for entry in registry.family("transfer"):
        reason = measured[entry.name]["unlabelled"].because
        assert "40 of 40" in reason and "'unlabelled'" in reason and "'mood'" in reason
        assert isinstance(measured[entry.name]["other"], Estimate)
    rows = metric_rows.placed_sets("mood", measured, compared, floor="unlabelled", used=26)
    assert all(row["position"] is None and row["because"] for row in rows)
    assert all(np.isfinite(value) for value in metric_rows.flat(rows).values())
    assert len(metric_rows.table(rows)) == len(rows)


def test_a_label_that_held_out_records_lack_is_refused():
    with refused("evaluation.label_missing", name="colour", value=60):
        tstr.transfer(matched(arm=records(40, 3, label="colour")), "colour", None, seeds=3, draws=9, seed=0)


def wordless(count: int) -> list[Record]:
    return [Record(f"e{i}", PrivateText("!!!"), {"mood": ("good", "bad")[i % 2]}) for i in range(count)]


def test_an_arm_whose_texts_have_no_words_is_undefined():
    measured = transferred(matched(wordless=wordless(40), other=records(40, 4)))
    with refused("evaluation.no_words_to_train_on") as error:
        linear_classifiers.read_words(["!!!"] * 27)
    assert measured["accuracy"]["wordless"] == measured["macro_f1"]["wordless"] == Undefined(str(error.value))
    assert isinstance(measured["reverse_accuracy"]["wordless"], Estimate)


def test_where_no_real_model_can_be_trained_every_reverse_metric_is_undefined():
    compared = matched(unlabelled=records(40, 3, label="colour"), other=records(40, 4))
    for row in compared.rows[REAL]:
        compared.texts[row] = "!!!"
    measured = transferred(compared)
    assert isinstance(measured["accuracy"]["other"], Estimate)
    reason = measured["accuracy"][REAL]
    assert isinstance(reason, Undefined) and reason != measured["accuracy"]["unlabelled"]
    expected = dict.fromkeys(("unlabelled", "other", REAL), reason)
    assert measured["reverse_accuracy"] == measured["reverse_macro_f1"] == expected


def test_macro_f1_by_size_is_that_of_sets_of_this_size_and_grows():
    compared = matched(small=records(30, 3, noise=0.2), large=records(160, 4, noise=0.2))
    fit = linear_classifiers.tfidf(compared.texts)
    calls = []
    options = {"sizes": [20, 60, 100], "seeds": 3, "draws": 30, "seed": 0}
    found = tstr.by_size(compared, "mood", fit, progress=lambda: calls.append(1), **options)
    assert {name: [*by_number] for name, by_number in found.items()} == {
        "small": [20, 30], "large": [20, 60, 100, 160], REAL: [20, 60, 100, 200],
    }  # fmt: skip
    assert len(calls) == 3 * (2 + 4 + 4)
    same = transferred(compared, fit)["macro_f1"]  # of 30 records each
    assert found["small"][30].value == same["small"].value and found["small"][30].interval == same["small"].interval
    assert found["large"][160].value > found["large"][20].value
    low, high = found["small"][20].interval
    assert low < found["small"][20].value < high


def test_an_arm_without_the_label_has_no_macro_f1_at_any_size():
    compared = matched(unlabelled=records(40, 3, label="colour"), other=records(40, 4))
    fit = linear_classifiers.tfidf(compared.texts)
    found = tstr.by_size(compared, "mood", fit, sizes=[20], seeds=3, draws=30, seed=0)
    assert all(isinstance(one, Undefined) for one in found["unlabelled"].values())
    assert all(isinstance(one, Estimate) for one in found["other"].values())
