"""Detectors are found by name, and loaded when they are asked for."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.errors import refused

from lib.pii.detectors.registry import DETECTORS, load

LOCALE = "en_US"


@pytest.mark.parametrize("name", ["rules", "spacy"])
def test_a_detector_has_the_name_that_it_is_listed_under(name):
    assert load(name, LOCALE).name == name and name in DETECTORS


def test_what_cannot_be_loaded_is_refused():
    with refused("pii.unknown_detector", name="detectors", value="rule"):
        load("rule", LOCALE)
    with refused("pii.gliner_model", name="gliner"):
        load("gliner", LOCALE)


def test_a_trained_detector_is_loaded_from_the_folder_of_its_stage(monkeypatch):
    loaded = SimpleNamespace(TokenClassifier=SimpleNamespace(load=lambda folder: f"of {folder.name}"))
    monkeypatch.setitem(sys.modules, "lib.pii.detectors.token_classifier", loaded)
    assert load("trained", LOCALE, folder=Path("41_pii_check/detector")) == "of detector"
    with refused("pii.detector_not_given", name="trained"):
        load("trained", LOCALE)
