"""Groups of real records that an arm never wrote."""

import numpy as np
import pytest

from lib.evaluation.fidelity import coverage_gaps

GROUPS = np.array([[0, 0], [20, 0], [0, 20]])


def around(groups: list[int], each: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([GROUPS[g] + rng.normal(size=(each, 2)) for g in groups]) + 30  # k-means looks at angles


def test_a_group_of_real_records_that_an_arm_never_wrote_is_missing():
    real = around([0, 1, 2], 20, 1)
    sides = {"arm": around([0, 1], 30, 2), "ceiling": around([0, 1, 2], 20, 3)}
    gaps = coverage_gaps.find_gaps(real, sides, seed=0, clusters=3)
    assert sorted(gaps.sizes) == [20, 20, 20]
    lost = gaps.cluster[-1]
    assert gaps.counts("arm")[lost] == 0 and gaps.counts("ceiling").min() > 10
    assert gaps.order(["arm"])[0] == lost


def test_clusters_of_a_few_records_are_left_out_but_never_all_of_them(monkeypatch: pytest.MonkeyPatch):
    real = around([0, 1], 8, 1)
    monkeypatch.setattr(coverage_gaps, "cluster", lambda *_, **__: np.repeat([0, 1, 2], [6, 3, 7]))
    gaps = coverage_gaps.find_gaps(real, {"arm": real}, seed=0, clusters=3)
    assert gaps.sizes.tolist() == [6, 7] and np.flatnonzero(gaps.cluster < 0).tolist() == [6, 7, 8]
    assert gaps.counts("arm").tolist() == [6, 7]
    monkeypatch.setattr(coverage_gaps, "cluster", lambda *_, **__: np.repeat([0, 1, 2, 3], 4))
    assert coverage_gaps.find_gaps(real, {"arm": real}, seed=0, clusters=4).sizes.tolist() == [4, 4, 4, 4]
