"""What scores show of groups of canaries, and positive controls that are caught or missed."""

import numpy as np
import pytest
from support.audit_toys import plant

from lib.audit import attack
from lib.audit.canary_set import coins


def test_every_score_is_judged_on_every_group_that_it_has() -> None:
    planting = plant()
    perfect = {copies: coins(group).astype(float) for copies, group in planting.groups.items()}
    rows = attack.membership({"perfect": perfect, "single only": {1: np.zeros(30)}}, planting)
    assert [(row.score, row.copies, row.canaries) for row in rows] == [
        ("perfect", 1, 30),
        ("perfect", 8, 12),
        ("single only", 1, 30),
    ]
    assert [row.auc.value for row in rows] == [1, 1, 0.5] and [row.tpr.value for row in rows] == [1, 1, 0]


@pytest.mark.parametrize(("hits", "passed"), [(60, True), (0, False)])
def test_a_repeated_control_passes_above_its_auc(hits: int, passed: bool) -> None:
    group = plant(30, {8: 60}).repeated[0]
    values = coins(group.canaries) * (np.arange(60) < hits)
    control = attack.repeated_control("loss", values, group)
    assert control.passed is passed and (control.score, control.what) == ("loss", "no privacy, 8 copies")


def test_without_noise_canaries_that_came_once_must_be_caught() -> None:
    single = plant(30).single
    caught = attack.unnoised_control("votes", coins(single).astype(float), single)
    assert caught.passed and (caught.score, caught.what) == ("votes", "noise off, one copy")
    assert not attack.unnoised_control("votes", np.zeros(30), single).passed


def test_the_controls_are_those_of_the_arm_without_privacy_and_of_what_has_its_noise_off() -> None:
    planting = plant(30)
    perfect = {copies: coins(group).astype(float) for copies, group in planting.groups.items()}
    tried = attack.controls({"loss": perfect}, {"votes": np.zeros(30)}, planting, score="loss")
    assert [(control.score, control.passed) for control in tried] == [("votes", False), ("loss", True)]
    assert attack.controls(None, {}, planting, score=None) == []
