"""Pictures of an audit, from its findings."""

import math
from types import SimpleNamespace

import numpy as np

from lib.plots import audit


def finding(claim: float) -> SimpleNamespace:
    return SimpleNamespace(
        score="loss", estimator="one run", bound=SimpleNamespace(epsilon=0.5), ideal_bound=2.0, reach=4.0, claim=claim
    )


def test_an_arm_that_claims_nothing_gets_no_claim_and_no_ideal_attack():
    (panel,) = audit.bounds({"eps8": [finding(8.0)], "nonprivate": [finding(math.inf)]}).axes
    assert [label.get_text() for label in panel.get_yticklabels()] == [
        "eps8: loss, one run",
        "nonprivate: loss, one run",
    ]
    assert [bar.get_width() for bar in panel.patches] == [2.0]
    assert sum(list(line.get_xdata()) == [8.0, 8.0] for line in panel.lines) == 1
    assert sum(list(line.get_xdata()) == [4.0, 4.0] for line in panel.lines) == 2  # the reach of both


def test_scores_beyond_the_percentiles_are_drawn_at_the_edges():
    scores = np.append(np.linspace(0, 1, 200), 1000.0)
    included = np.arange(201) % 2 == 0
    (panel,) = audit.in_and_out({"eps8": (scores, included)}).axes
    assert panel.get_xlim()[1] < 2
    _, shown = (patch.get_path().vertices[:, 1].max() for patch in panel.patches)
    assert 0 < shown < 1


def test_only_the_repeated_kind_of_canary_is_drawn_by_repetition():
    row = {"arm": "eps8", "kind": audit.REPEATED, "part": "name", "copies": 4, "included": 8, "near": 2}
    row |= {"left_out": 4, "left_out_near": 1}
    rows = [row, row | {"copies": 1, "near": 0}, row | {"kind": "words", "near": 8}]
    (panel,) = audit.leaks_by_repetition(rows).axes
    inside, chance = (line for line in panel.lines if len(line.get_xdata()))
    assert inside.get_ydata().tolist() == [0, 0.25] and chance.get_ydata().tolist() == [0.25, 0.25]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["1", "4"]
