"""What an arm is made of follows from its notebook, and no card has an unfilled place."""

import string

import pytest

from lib.methods.registry import METHODS
from lib.release import kinds


def test_every_method_has_the_kind_of_its_records() -> None:
    by_records = {"texts": kinds.TEXTS, "pictures": kinds.PICTURES, "rows": kinds.ROWS}
    assert {method.records for method in METHODS} == by_records.keys()
    for method in METHODS:
        assert kinds.of_stage(f"{method.arm}.eps8") is by_records[method.records], method.arm


def test_a_stage_with_the_name_of_an_earlier_version_has_its_kind() -> None:
    assert kinds.of_stage("02_generate.eps8") is kinds.TEXTS
    assert kinds.of_stage("00_process_images") is kinds.TEXTS  # it is no arm


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.many)
def test_each_kind_has_words_for_both_units_and_places_that_can_be_filled(kind: kinds.Kind) -> None:
    assert set(kind.tells) == {"record", "user"}
    assert (kind.unit("record"), kind.unit("user")) == (kind.piece, "user")
    places = {name for _, name, *_ in string.Formatter().parse(kind.rules) if name}
    assert places <= {"unit"} and kind.files[0] == "README.md"
