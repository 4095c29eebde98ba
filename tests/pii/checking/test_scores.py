"""Counts beside nervaluate's own, figures by hand, and intervals that hold what they should."""

import math
import random

import numpy as np
import pytest
from nervaluate import Evaluator

from lib.pii.checking.common import Place
from lib.pii.checking.scores import ALL, METRICS, OUTCOMES, WAYS, Compared, Measured, Outcomes, measured

CLASSES = ["LOCATION", "PERSON"]
TEXT = "abcd efgh ijkl mnop qrst uvwx yzab cdef"


def drawn(rng: random.Random) -> list[Place]:
    """Disjoint spans."""
    edges = sorted(rng.sample(range(len(TEXT) + 1), 2 * rng.randint(0, 4)))
    return [Place(low, high, rng.choice(CLASSES)) for low, high in zip(edges[::2], edges[1::2], strict=True)]


def compared(labelled: list[Place], found: list[Place]) -> Compared:
    return Compared(TEXT, labelled, found, [place[:2] for place in found])


def test_counts_are_those_of_nervaluate() -> None:
    rng = random.Random(0)
    texts = [compared(drawn(rng), drawn(rng)) for _ in range(60)]
    ours = Outcomes.of(texts, CLASSES)
    sides = [
        [[{"label": label, "start": low, "end": high - 1} for low, high, label in side] for side in both]
        for both in zip(*((text.labelled, text.found) for text in texts), strict=True)
    ]
    theirs = Evaluator(*sides, tags=CLASSES, loader="dict").evaluate()
    for column, name in enumerate(ours.labels):
        for row, way in enumerate(WAYS):
            of = theirs["overall"] if name == ALL else theirs["entities"][name]
            expected = of["ent_type" if way == "type" else way]
            assert [getattr(expected, outcome) for outcome in OUTCOMES] == ours.spans[:, column, row].sum(0).tolist()
            assert measured([ours], f"{way}_f1", name, draws=1).value == pytest.approx(expected.f1)
    assert measured([ours], "strict_recall", draws=1).value == pytest.approx(theirs["overall"]["strict"].recall)
    assert measured([ours], "strict_precision", draws=1).value == pytest.approx(theirs["overall"]["strict"].precision)


def test_figures_by_hand() -> None:
    # right; half a span of the wrong class; missed; made up
    labelled = [Place(0, 4, "PERSON"), Place(5, 14, "LOCATION"), Place(20, 24, "PERSON")]
    found = [Place(0, 4, "PERSON"), Place(5, 9, "PERSON"), Place(30, 34, "PERSON")]
    one = Outcomes.of([compared(labelled, found)], CLASSES)
    values = {metric: measured([one], metric, draws=1).value for metric in METRICS}
    assert values["strict_f1"] == values["exact_f1"] == values["type_f1"] == pytest.approx(1 / 3)
    assert values["partial_f1"] == pytest.approx(1.5 / 3)
    assert values["character_recall"] == pytest.approx(8 / 16)  # the blank in the second does not count
    assert values["character_precision"] == pytest.approx(8 / 12)
    assert math.isnan(measured([one], "strict_f1", "LOCATION", draws=1).value) is False
    assert measured([one], "strict_recall", "LOCATION", draws=1).value == 0
    assert measured([one], "character_recall", "LOCATION", draws=1).value == pytest.approx(4 / 8)


def test_the_detector_that_finds_all_and_the_one_that_finds_nothing() -> None:
    labelled = [Place(0, 4, "PERSON"), Place(10, 14, "LOCATION")]
    perfect, blind = (Outcomes.of([compared(labelled, some)] * 3, CLASSES) for some in (labelled, []))
    assert all(measured([perfect], metric, draws=5).interval == (1, 1) for metric in METRICS)
    assert measured([blind], "strict_f1", draws=5).value == measured([blind], "character_recall", draws=5).value == 0
    assert math.isnan(measured([blind], "strict_precision", draws=5).value)
    assert all(map(math.isnan, measured([blind], "strict_precision", draws=5).interval))


def test_groups_are_summed_and_texts_of_a_group_are_drawn_together() -> None:
    right = compared([Place(0, 4, "PERSON")], [Place(0, 4, "PERSON")])
    wrong = compared([Place(0, 4, "PERSON")], [])
    texts = Outcomes.of([right] * 20 + [wrong] * 20, CLASSES)
    groups = texts.grouped(["a"] * 20 + ["b"] * 20)
    assert groups.spans.sum(0).tolist() == texts.spans.sum(0).tolist() and len(groups.spans) == 2
    # two templates say little, forty texts seem to say much
    assert np.ptp(measured([groups], "strict_recall").interval) > 0.9
    assert np.ptp(measured([texts], "strict_recall").interval) < 0.4


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held, times = 0, 200
    for time in range(times):
        spans = np.zeros((60, 1, 4, 5), np.int64)
        right = rng.random(60) < 0.7
        spans[:, 0, :, 0], spans[:, 0, :, 3] = right[:, None], ~right[:, None]
        low, high = measured(
            [Outcomes((ALL,), spans, np.zeros((60, 1, 3), np.int64))], "strict_recall", draws=300, seed=time
        ).interval
        held += low <= 0.7 <= high
    assert 0.89 <= held / times <= 0.99


def test_trainings_that_differ_widen_the_interval() -> None:
    right = compared([Place(0, 4, "PERSON")], [Place(0, 4, "PERSON")])
    wrong = compared([Place(0, 4, "PERSON")], [])
    good, bad = (Outcomes.of([one] * 50, CLASSES) for one in (right, wrong))
    both = measured([good, bad], "strict_recall")
    assert both.value == 0.5 and both.interval == (0, 1)
    lost = Measured(0.9, np.array([0.8, 1.0])).less(Measured(0.5, np.array([0.4, 0.6])))
    assert lost.value == pytest.approx(0.4) and lost.draws == pytest.approx([0.4, 0.4])
