"""Targets: numbers and shares as Privasis states them, no repeats, no conflicts, the same for the same seed."""

from collections import Counter
from random import Random

import pytest

from lib.private_records.schema import Attribute, Group
from lib.sanitization.targets import draw, weights

NAMES = tuple("abcdefghi")
ATTRIBUTES = [Attribute(name, f"value {name}", "event", False) for name in NAMES]
GROUPS = (Group("one", ("a", "b")), Group("two", ("b", "c", "d")), Group("three", ("e",)), Group("four", ("f", "g")))
APART = dict.fromkeys(NAMES, ())
EVEN = dict.fromkeys(NAMES, 1.0)


def many(count=4_000, groups=GROUPS, tied=APART, weight=EVEN):
    return [draw(ATTRIBUTES, groups, tied, weight, Random(seed)) for seed in range(count)]


def test_no_attribute_is_in_two_lists_and_something_is_always_hidden():
    for targets in many():
        named = (*targets.abstract, *targets.drop, *targets.keep)
        assert len(named) == len(set(named)) and targets.abstract and len(targets.keep) <= 2
        for title in targets.abstract_groups:
            assert set(next(group.names for group in GROUPS if group.title == title)) <= set(targets.abstract)


def test_even_weights_draw_evenly_and_without_replacement():
    """The original passes weights as ``replace``: pairs of equal draws in a quarter of the records."""
    singles = Counter(name for targets in many(groups=()) for name in targets.abstract)
    assert all(abs(singles[name] - 4_000 / 9) < 5 * (4_000 * 8 / 81) ** 0.5 for name in NAMES)


def test_groups_are_drawn_as_often_as_stated():
    abstract = [bool(targets.abstract_groups) for targets in many() if len(targets.abstract) > 0]
    one_draw = [
        targets for targets in many() if len(targets.drop_groups) + (not targets.drop_groups) == 1 and targets.drop
    ]
    assert abs(sum(abstract) / len(abstract) - 0.5) < 0.08
    assert abs(sum(bool(targets.drop_groups) for targets in one_draw) / len(one_draw) - 0.7) < 0.15


def test_the_lowest_third_is_never_drawn_by_sensitivity():
    weight = weights(NAMES)
    assert weight["a"] == 1.3 and weight["f"] == pytest.approx(0.3 + 1 / 6) and weight["g"] == 0
    drawn = Counter(name for targets in many(groups=(), weight=weight) for name in targets.names)
    assert not drawn.keys() & {"g", "h", "i"} and drawn["a"] > 2 * drawn["f"]


def test_tied_attributes_are_neither_dropped_beside_an_abstract_one_nor_kept():
    tied = APART | {"a": ("b",), "b": ("a",)}
    for targets in many(groups=(), tied=tied):
        assert not ({"a", "b"} & set(targets.abstract) and {"a", "b"} & set(targets.drop))
        assert not ({"a", "b"} & set(targets.names) and {"a", "b"} & set(targets.keep))


def test_the_same_seed_draws_the_same():
    assert many(20) == many(20)
    assert len(set(many(20))) > 10
