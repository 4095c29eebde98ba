"""GLiNER by a stand-in: no hub is at hand here, so no published model was ever run through this code."""

import sys
from types import SimpleNamespace

import pytest
from support.errors import refused

from lib.pii.classes import classes_of
from lib.pii.detectors.gliner_model import ASKED, GlinerModel


class StandIn:
    """Finds three values, two of which overlap, one of them cut off within a word."""

    loaded = None

    @classmethod
    def from_pretrained(cls, name: str) -> "StandIn":
        cls.loaded = name
        return cls()

    def predict_entities(self, text: str, labels: list[str], threshold: float) -> list[dict]:
        assert labels == list(ASKED) and 0 < threshold < 1
        found = [(0, 3, "person", 0.9), (0, 12, "address", 0.6), (9, 18, "email", 0.8)]
        return [{"start": a, "end": b, "text": text[a:b], "label": label, "score": s} for a, b, label, s in found]


def test_the_surest_of_what_overlaps_stays_and_words_are_whole(monkeypatch):
    monkeypatch.setitem(sys.modules, "gliner", SimpleNamespace(GLiNER=StandIn))
    (spans,) = GlinerModel("hub:somebody/pii").find(["Annie at b@x.org.uk"])
    assert [(span.label, span.value) for span in spans] == [("PERSON", "Annie"), ("EMAIL_ADDRESS", "b@x.org.uk")]
    assert StandIn.loaded == "somebody/pii"


def test_every_label_is_one_of_presidios():
    assert all(classes_of(label, "presidio") for label in ASKED.values())


@pytest.mark.parametrize("model", [None, "/home/somebody/model", "bundled:gliner"])
def test_a_model_that_may_have_seen_private_records_is_refused(model):
    with refused("pii.gliner_model", name="gliner", value=model):
        GlinerModel(model)


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gliner", None)
    with refused("pii.gliner_missing", name="gliner"):
        GlinerModel("hub:somebody/pii").find(["x"])
