"""Classifiers of pictures: trained on one set, tested on held-out ones, class by class."""

import numpy as np
import pytest
from support.image_toys import private

from lib.evaluation import comparison_sets
from lib.evaluation.comparison_sets import REAL
from lib.evaluation.images.classifiers import CLASSIFIERS, nearest_neighbour, right_by_class
from lib.evaluation.utility import tstr


@pytest.fixture(scope="module")
def compared() -> comparison_sets.Sets:
    """An arm of ones and sevens as the private ones are, and one whose labels are the wrong way round."""
    right, train, test = private(40, seed=1), private(80, seed=2), private(40, seed=3)
    wrong = [type(r)(r.id, r.image, {"digit": "17"[r.labels["digit"] == "1"]}) for r in right]
    return comparison_sets.matched_sets({"right": right, "wrong": wrong}, train, test, most=40, evaluate=None, seed=0)


def test_good_pictures_teach_and_wrong_labels_do_not(compared: comparison_sets.Sets) -> None:
    pictures = np.stack(compared.texts)
    for kind in ("nearest neighbour", "logistic"):
        found = tstr.transfer(compared, "digit", CLASSIFIERS[kind](pictures), seeds=3, draws=9, seed=0, reverse=False)
        values = {name: estimate.value for name, estimate in found["accuracy"].items()}
        assert values["right"] > 0.9 and values["wrong"] < 0.1 and values[REAL] > 0.9


def test_the_network_learns_too(compared: comparison_sets.Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.evaluation.images.classifiers.STEPS", 30)
    fit = CLASSIFIERS["network"](np.stack(compared.texts))
    codes, rows = compared.codes("digit")[0], compared.rows
    assert (fit(rows["right"], codes[rows["right"]], rows["held-out"], 0) == codes[rows["held-out"]]).mean() > 0.8


def test_class_by_class(compared: comparison_sets.Sets) -> None:
    shares = right_by_class(compared, "digit", nearest_neighbour(np.stack(compared.texts)))
    assert {*shares} == {"right", "wrong", REAL} and min(shares["right"]) > 0.8 and max(shares["wrong"]) < 0.2
