"""Pictures of an audit, from its findings."""

from types import SimpleNamespace

import numpy as np

from lib.plots import audit


def finding(canaries: int = 1000) -> SimpleNamespace:
    return SimpleNamespace(
        access=SimpleNamespace(what="votes"),
        bound=SimpleNamespace(epsilon=0.5),
        ceiling=2.0,
        claim=8.0,
        canaries=canaries,
    )


def test_each_access_has_a_row_with_its_ceiling_and_its_claim() -> None:
    (panel,) = audit.bounds({"eps8": [finding(), finding()], "aug_pe": [finding()]}).axes
    assert [label.get_text() for label in panel.get_yticklabels()] == ["eps8: votes", "eps8: votes", "aug_pe: votes"]
    assert [bar.get_width() for bar in panel.patches] == [2.0] * 3
    assert sum(list(line.get_xdata()) == [8.0, 8.0] for line in panel.lines) == 3


def test_bounds_are_drawn_over_the_number_of_canaries() -> None:
    first, second = audit.by_canaries({"a": [finding(200), finding(1000)], "b": [finding(200)]}).axes
    assert [list(line.get_xdata()) for line in first.lines[:2]] == [[200, 1000], [200, 1000]]
    assert list(first.lines[0].get_ydata()) == [2.0, 2.0] and list(first.lines[1].get_ydata()) == [0.5, 0.5]
    assert second.get_title() == "b" and first.get_xscale() == "log"


def test_scores_beyond_the_percentiles_are_drawn_at_the_edges() -> None:
    scores = np.append(np.linspace(0, 1, 2000), 1000.0)
    included = np.arange(2001) % 2 == 0
    (panel,) = audit.in_and_out({"eps8": (scores, included, [0.2, 0.7])}).axes
    assert panel.get_xlim()[1] < 2
    assert [line.get_xdata()[0] for line in panel.lines] == [0.2, 0.7]


def test_only_the_repeated_kind_of_canary_is_drawn_by_repetition():
    row = {"arm": "eps8", "kind": audit.REPEATED, "part": "name", "copies": 4, "included": 8, "near": 2}
    row |= {"left_out": 4, "left_out_near": 1}
    rows = [row, row | {"copies": 1, "near": 0}, row | {"kind": "words", "near": 8}]
    (panel,) = audit.leaks_by_repetition(rows).axes
    inside, chance = (line for line in panel.lines if len(line.get_xdata()))
    assert inside.get_ydata().tolist() == [0, 0.25] and chance.get_ydata().tolist() == [0.25, 0.25]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["1", "4"]
