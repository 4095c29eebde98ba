"""Agreement between raters, against the published examples."""

import numpy as np
import pytest
from support.errors import refused

from lib.evaluation.estimate import Undefined
from lib.evaluation.human import agreement

_ = np.nan
# Krippendorff 2011, example C: four observers, twelve units, with missing ratings
KRIPPENDORFF_C = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)
# the same, example A: two observers, ten units, two values
KRIPPENDORFF_A = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], float)


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_published_example(level, published):
    assert agreement.krippendorff_alpha(KRIPPENDORFF_C, level) == pytest.approx(published, abs=0.0006)


def test_alpha_of_two_observers_and_two_values():
    assert agreement.krippendorff_alpha(KRIPPENDORFF_A, "nominal") == pytest.approx(0.095, abs=0.0006)


def test_alpha_is_one_when_raters_agree_and_about_zero_by_chance():
    rng = np.random.default_rng(0)
    ratings = rng.integers(1, 6, 400).astype(float)
    assert agreement.krippendorff_alpha(np.stack([ratings, ratings])) == 1
    assert abs(agreement.krippendorff_alpha(rng.integers(1, 6, (3, 400)).astype(float))) < 0.1


@pytest.mark.parametrize(
    ("ratings", "level", "code"),
    [
        (np.array([[1, _], [_, 2]]), "ordinal", "evaluation.no_item_rated_twice"),
        (np.full((2, 5), 3.0), "ordinal", "evaluation.ratings_all_equal"),
        (KRIPPENDORFF_C, "nominl", "evaluation.unknown_level"),
    ],
)
def test_an_undefined_alpha_says_why(ratings, level, code):
    with refused(code) as error:
        agreement.krippendorff_alpha(ratings, level)
    estimate = agreement.alpha_estimate(ratings, level, draws=20, seed=0)
    assert isinstance(estimate, Undefined) and estimate.because == str(error.value)


def test_a_mistyped_level_is_named_with_the_closest_known_one():
    with refused("evaluation.unknown_level", name="level", value="nominl") as error:
        agreement.krippendorff_alpha(KRIPPENDORFF_C, "nominl")
    assert "nominal" in error.value.remedy


def test_the_interval_of_alpha_holds_its_value():
    estimate = agreement.alpha_estimate(KRIPPENDORFF_C, draws=200, seed=1)
    low, high = estimate.interval
    assert low < estimate.value < high and estimate.value == pytest.approx(0.815, abs=0.001)
