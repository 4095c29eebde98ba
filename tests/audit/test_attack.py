"""What scores show of groups of canaries, and positive controls that are caught or missed."""

import numpy as np
import pytest
from support.audit_toys import plant
from support.errors import refused

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


def test_a_planted_claim_of_copies_is_that_of_their_group() -> None:
    group = plant(30, {8: 60}).repeated[0]
    inside = coins(group.canaries)
    given = {"claim": 1.0, "delta": 1e-5, "rng": np.random.default_rng(0), "copies": 8}
    control = attack.planted_control("loss", inside.astype(float), group.canaries, **given)
    assert control.passed and "a group of 8 identical records" in control.shown
    silent = attack.planted_control("loss", np.zeros(60), group.canaries, **given)
    assert not silent.passed
    with refused("audit.planted_claim_vacuous", name="planted_claim", value=40.0):
        attack.planted_control("loss", np.zeros(60), group.canaries, **given | {"claim": 40.0})
