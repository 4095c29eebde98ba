"""Matched sets, transfer between them, and what degenerate arms give."""

import numpy as np
import pytest
from support.utility_toys import matched, moved, records

from lib.common.errors import DoppelError
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.evaluation import comparison_sets, metric_rows
from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.utility import feature_importance, linear_classifiers, tstr


def test_sets_have_one_size_and_real_sets_do_not_overlap():
    compared = matched(one=records(50, 3), other=records(30, 4))
    assert {len(rows) for name, rows in compared.rows.items() if name != comparison_sets.HELD_OUT} == {30}
    assert len(compared.rows[comparison_sets.HELD_OUT]) == 60 and compared.sizes == {"one": 50, "other": 30}
    everything = np.concatenate(list(compared.rows.values()))
    assert len(set(everything.tolist())) == len(everything) == len(compared.texts)


def test_an_arm_that_is_too_small_or_named_as_real_records_is_refused():
    with pytest.raises(DoppelError, match="'small' has 5 records, a comparison needs 9"):
        matched(one=records(50, 3), small=records(5, 4))
    with pytest.raises(DoppelError, match="'real', which stands for real records"):
        matched(real=records(50, 3))


def test_good_text_is_at_the_ceiling_and_random_labels_at_chance():
    found = moved(matched(good=records(90, 3), random=records(90, 4, noise=1.0)))
    assert found["accuracy"]["good"].value > 0.95 and found["accuracy"]["real"].value > 0.95
    assert 0.25 < found["accuracy"]["random"].value < 0.75
    assert found["reverse_accuracy"]["good"].value > 0.95
    assert 0.3 < found["reverse_accuracy"]["random"].value < 0.7  # a real model is right, their labels are not
    rows = metric_rows.placed_sets("mood", found, matched(good=records(90, 3), random=records(90, 4)),
                        floor="random", used=60)  # fmt: skip
    good = next(row for row in rows if row["arm"] == "good" and row["metric"] == "accuracy")
    assert good["position"] == pytest.approx(1, abs=0.1) and good["at_ceiling"] and good["real_text"]
    assert metric_rows.flat(rows)["mood/accuracy/good"] == good["value"]


def test_predictions_are_those_of_a_plain_loop():
    """The value is the mean accuracy of trainings on two thirds: done again here, one by one."""
    compared = matched(one=records(60, 3, noise=0.5))
    codes, _ = compared.codes("mood")
    held_out, fit = compared.rows[comparison_sets.HELD_OUT], linear_classifiers.tfidf(compared.texts)
    found = moved(compared)["accuracy"]["one"].value
    expected = []
    for number in range(3):
        order = np.random.default_rng([0, number]).permutation(60)[:40]
        rows = compared.rows["one"][order]
        expected.append(np.mean(fit(rows, codes[rows], held_out, number) == codes[held_out]))
    assert found == pytest.approx(np.mean(expected))


def test_an_arm_with_one_label_always_says_it():
    compared = matched(one=records(40, 3, only="good"), other=records(40, 4))
    found = moved(compared)
    codes, values = compared.codes("mood")
    share = np.mean(codes[compared.rows[comparison_sets.HELD_OUT]] == values.index("good"))
    assert found["accuracy"]["one"].value == pytest.approx(share)
    assert found["reverse_accuracy"]["one"].value > 0.9
    words = feature_importance.consistency(compared, "mood", features=50, repeats=2, seeds=3, draws=12, seed=0)
    assert isinstance(words["importance_top20_jaccard"]["one"], Undefined)


def test_an_arm_without_the_label_is_not_defined_and_the_others_are():
    found = moved(matched(none=records(40, 3, label="colour"), other=records(40, 4)))
    for metric in tstr.METRICS:
        assert "have no label 'mood'" in found[metric]["none"].because
        assert isinstance(found[metric]["other"], Estimate)
    compared = matched(none=records(40, 3, label="colour"), other=records(40, 4))
    rows = metric_rows.placed_sets("mood", found, compared, floor="none", used=26)
    assert all(row["position"] is None and row["because"] for row in rows)
    assert all(np.isfinite(value) for value in metric_rows.flat(rows).values())
    assert len(metric_rows.table(rows)) == len(rows)


def test_a_label_that_held_out_records_lack_is_refused():
    with pytest.raises(DoppelError, match="60 of 60 held-out records do not have it"):
        tstr.transfer(matched(one=records(40, 3, label="colour")), "colour", None, seeds=3, draws=9, seed=0)


def test_texts_without_words_are_not_defined():
    empty = [Record(f"e{i}", PrivateText("!!!"), {"mood": ("good", "bad")[i % 2]}) for i in range(40)]
    found = moved(matched(empty=empty, other=records(40, 4)))
    assert "holds a word" in found["accuracy"]["empty"].because


def test_labels_and_floor_are_checked_by_name():
    histogram = {"cells": [{"mood": "good"}, {"mood": "bad"}]}
    assert metric_rows.label_names(histogram, None) == ["mood"]
    with pytest.raises(DoppelError, match="did you mean mood"):
        metric_rows.label_names(histogram, ["mod"])
    with pytest.raises(DoppelError, match="did you mean base"):
        metric_rows.check_floor("bse", ["base", "eps8"])


def test_important_words_of_like_texts_agree_more_than_of_others():
    compared = matched(like=records(90, 3), other=records(90, 4, noise=1.0))
    found = feature_importance.consistency(compared, "mood", features=50, repeats=3, seeds=3, draws=12, seed=0)
    jaccard = found["importance_top20_jaccard"]
    assert jaccard["like"].value > jaccard["other"].value
    assert jaccard[comparison_sets.REAL].value > jaccard["other"].value
