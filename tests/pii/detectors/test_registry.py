"""Detectors are found by name, and loaded when they are asked for."""

import pytest
from support.errors import refused

from lib.pii.detectors.registry import DETECTORS, Given, load

GIVEN = Given("en_US")


@pytest.mark.parametrize("name", ["rules", "spacy"])
def test_a_detector_has_the_name_that_it_is_listed_under(name):
    assert load(name, GIVEN).name == name and name in DETECTORS


def test_what_cannot_be_loaded_is_refused():
    with refused("pii.unknown_detector", name="detectors", value="rule"):
        load("rule", GIVEN)
    with refused("pii.gliner_model", name="gliner"):
        load("gliner", GIVEN)
