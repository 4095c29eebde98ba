"""A difference is reported when every view shows it, seldom where there is none, never where one view alone sees it."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from lib.evaluation.estimate import Estimate, Undefined
from lib.evaluation.views import CEILING, View
from lib.scorecard.pairwise import LEVEL, Entrant, compare, gain

METRIC = [("task", "metric")]
NAMES = ("a", "b", "c")


def entrants(*names: str) -> list[Entrant]:
    return [Entrant(name, (name,)) for name in names]


def view(kind: str, name: str, levels: Mapping[str, float], spread: float = 0.02, direction: str = "higher") -> View:
    """Every arm at its level, with independent draws."""
    rng = np.random.default_rng([len(name), *name.encode()])
    made = {arm: Estimate(level, rng.normal(level, spread, 60)) for arm, level in levels.items()}
    return View("task", "metric", direction, kind, name, made)


def four(levels: Mapping[str, float], **more: object) -> list[View]:
    kinds = (("size", "all"), ("size", "half"), ("encoder", "other"), ("seed", "seed 1"))
    return [view(kind, name, levels, **more) for kind, name in kinds]


# Simulations: records with two correlated features ("encoders"), of which the metric is the mean.


Shifts = Mapping[str, tuple[float, float]]  # of each arm, in each feature


def simulated(rng: np.random.Generator, shifts: Shifts, direction: str, n: int) -> list[View]:
    """Views of one draw of records: all and half of them by the first feature, all by the second."""
    records = {
        arm: rng.multivariate_normal(shift, [[1, 0.7], [0.7, 1]], size=n)
        for arm, shift in ({CEILING: (0.0, 0.0)} | dict(shifts)).items()
    }

    def looked(kind: str, name: str, used: int, feature: int) -> View:
        rows = np.argsort(rng.random((30, used)), axis=1)[:, : round(used * 2 / 3)]  # the same rows of every arm
        made = {
            arm: Estimate.from_subsamples(x[:used, feature].mean(), x[:used, feature][rows].mean(axis=1), used)
            for arm, x in records.items()
        }
        return View("task", "metric", direction, kind, name, made)

    return [looked("size", "all", n, 0), looked("size", "half", n // 2, 0), looked("encoder", "second", n, 1)]


def share_called_different(shifts: Shifts, direction: str, times: int = 400) -> float:
    rng, different = np.random.default_rng(5), 0
    for _ in range(times):
        rows = compare("group", METRIC, simulated(rng, shifts, direction, 60), entrants(*shifts))
        different += any(row["better"] for row in rows)
    return different / times


@pytest.mark.parametrize("direction", ["higher", "lower", "match"])
def test_equal_arms_are_called_different_in_at_most_five_percent(direction: str) -> None:
    assert share_called_different(dict.fromkeys(NAMES, (0.5, 0.5)), direction) <= 0.05


@pytest.mark.parametrize("direction", ["higher", "lower", "match"])
def test_equal_arms_in_the_main_view_alone_have_the_stated_level(direction: str) -> None:
    rng, wrong, pairwise, times = np.random.default_rng(6), 0, 0, 400
    pairs = [entrants(x, y) for x, y in combinations(NAMES, 2)]
    level = 1 - (1 - LEVEL) / len(pairs)
    for _ in range(times):
        first, *_ = simulated(rng, dict.fromkeys(NAMES, (0.5, 0.5)), direction, 60)
        wrong += any(gain(first, *pair, level=level).sign for pair in pairs)
        pairwise += any(gain(first, *pair, level=LEVEL).sign for pair in pairs)
    most = 0.05 + 2 * np.sqrt(0.05 * 0.95 / times)
    assert wrong / times <= most < pairwise / times  # what the correction for pairs is for


def test_a_clear_difference_is_found() -> None:
    assert share_called_different({"a": (1.3, 1.3), "b": (0.0, 0.0)}, "higher", 200) > 0.95


def test_a_difference_that_one_encoder_alone_sees_is_not_reported() -> None:
    assert share_called_different({"a": (1.3, 0.0), "b": (0.0, 0.0)}, "higher", 200) <= 0.05


def test_the_better_arm_is_named_by_direction() -> None:
    for direction, better in (("higher", "a"), ("lower", "b")):
        (row,) = compare("group", METRIC, four({"a": 0.8, "b": 0.5}, direction=direction), entrants("a", "b"))
        assert row["better"] == better and row["because"] is None
        assert (row["gain"] > 0) == (better == "a") and row["low"] < row["gain"] < row["high"]
        assert len(row["views"]) == 4 and row["arms"] == ["a", "b"] and row["group"] == "group"


def test_what_is_to_match_is_better_the_nearer_its_ceiling() -> None:
    levels = {"a": 1.1, "b": 0.4, CEILING: 1.0}
    (row,) = compare("group", METRIC, four(levels, direction="match"), entrants("a", "b"))
    assert row["better"] == "a" and row["gain"] == pytest.approx(0.5)
    del levels[CEILING]
    (row,) = compare("group", METRIC, four(levels, direction="match"), entrants("a", "b"))
    assert row["better"] is None and "has no ceiling" in row["because"] and row["gain"] is None


GOOD = {"a": 0.8, "b": 0.5}
BROKEN = {
    "includes 0 in 1 of 5 views: seed 7": [*four(GOOD), view("seed", "seed 7", {"a": 0.52, "b": 0.5})],
    "better in 1 of 5 views: contrary": [*four(GOOD), view("encoder", "contrary", {"a": 0.2, "b": 0.5})],
    "too few views (only size)": four(GOOD)[:2],
    "too few views (only encoder, seed)": four(GOOD)[2:],
    "too few views (none)": [],
    "not defined in view tiny: b is not in it": [*four(GOOD), view("size", "tiny", {"a": 0.8})],
}


@pytest.mark.parametrize("reason", BROKEN)
def test_the_reason_names_the_view_that_broke_it(reason: str) -> None:
    (row,) = compare("group", METRIC, BROKEN[reason], entrants("a", "b"))
    assert row["better"] is None and reason in row["because"]


def test_an_undefined_arm_is_reported_with_its_reason() -> None:
    seen = four(GOOD)
    seen[1] = View("task", "metric", "higher", "size", "half", dict(seen[1].estimates) | {"b": Undefined("one record")})
    (row,) = compare("group", METRIC, seen, entrants("a", "b"))
    assert row["better"] is None and row["because"] == "not defined in view half: one record"
    assert row["views"][1] == {"kind": "size", "name": "half", "gain": None, "low": None, "high": None}
    assert row["gain"] == pytest.approx(0.3)  # the first size still has it


def test_the_interval_is_a_paired_t_interval_corrected_for_pairs() -> None:
    seen = four({"a": 0.8, "b": 0.5, "c": 0.6})
    rows = compare("group", METRIC, seen, entrants("a", "b", "c"))
    assert [row["arms"] for row in rows] == [["a", "b"], ["a", "c"], ["b", "c"]]
    drawn = seen[0].estimates["a"].draws - seen[0].estimates["b"].draws
    low, high = stats.t.interval(1 - 0.05 / 3, len(drawn) - 1, 0.3, drawn.std(ddof=1))
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((low, high))


def replicas(levels: Mapping[str, float], spread: float = 0.001) -> tuple[list[View], list[Entrant]]:
    """Two recipes by the first letter of their arms' names."""
    named = [Entrant(first, tuple(n for n in levels if n[0] == first)) for first in dict.fromkeys(n[0] for n in levels)]
    return four(levels, spread=spread), named


def test_a_method_beats_another_when_its_replicas_agree() -> None:
    seen, named = replicas({"a0": 0.80, "a1": 0.81, "a2": 0.79, "b0": 0.50, "b1": 0.52, "b2": 0.51})
    (row,) = compare("group", METRIC, seen, named)
    assert row["better"] == "a" and row["replicas"] == [3, 3] and row["gain"] == pytest.approx(0.29)
    welch = stats.ttest_ind([0.80, 0.81, 0.79], [0.50, 0.52, 0.51], equal_var=False).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx(tuple(welch))


def test_a_method_does_not_beat_another_when_seeds_differ_more_than_methods() -> None:
    levels = {"a0": 0.8, "a1": 0.4, "a2": 0.6, "b0": 0.5, "b1": 0.55, "b2": 0.45}
    seen, named = replicas(levels)
    (row,) = compare("group", METRIC, seen, named)
    assert row["better"] is None and "includes 0 in 4 of 4 views" in row["because"]
    (row,) = compare("group", METRIC, seen, entrants("a0", "b0"))
    assert row["better"] == "a0"  # as single arms they do differ: records alone would have named a winner


def test_replicas_against_a_single_arm_keep_their_own_spread() -> None:
    seen, named = replicas({"a0": 0.80, "a1": 0.82, "b0": 0.5})
    (row,) = compare("group", METRIC, seen, named)
    reach = stats.t.ppf(0.975, 1) * np.std([0.80, 0.82], ddof=1) / np.sqrt(2)
    assert row["high"] - row["gain"] == pytest.approx(reach)


def test_draws_that_cannot_be_paired_are_reported() -> None:
    seen = four(GOOD)
    cut = Estimate(0.8, seen[2].estimates["a"].draws[:5])
    seen[2] = View("task", "metric", "higher", "encoder", "other", dict(seen[2].estimates) | {"a": cut})
    (row,) = compare("group", METRIC, seen, entrants("a", "b"))
    assert row["better"] is None and "5 and 60 draws, which cannot be paired" in row["because"]
