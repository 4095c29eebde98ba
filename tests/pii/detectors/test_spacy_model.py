"""spaCy's entities: names of OntoNotes that have a class, and whole words."""

from types import SimpleNamespace

import pytest
from support.errors import refused

from lib.pii.detectors import spacy_model
from lib.pii.detectors.spacy_model import SpacyModel
from lib.pii.spans import Filled, problems


class Stub:
    """A pipeline that finds what it is told to."""

    def __init__(self, *entities: tuple[int, int, str]):
        self.entities = [SimpleNamespace(start_char=low, end_char=high, label_=label) for low, high, label in entities]

    def pipe(self, texts, batch_size):
        return [SimpleNamespace(ents=self.entities) for _ in texts]


def test_the_packaged_model_finds_persons_and_places():
    texts = ["Dave Jones met Alice Cooper in Berlin.", "", "東京 🙂 Dave Jones"]
    found = SpacyModel().find(texts)
    assert [(span.label, span.value) for span in found[0]] == [
        ("PERSON", "Dave Jones"),
        ("PERSON", "Alice Cooper"),
        ("GPE", "Berlin"),
    ]
    assert all(not problems(Filled(text, spans), []) for text, spans in zip(texts, found, strict=True))


def test_half_a_word_is_widened_and_counted(monkeypatch):
    monkeypatch.setattr(spacy_model, "_language", lambda: Stub((0, 5, "GPE"), (12, 15, "PERSON")))
    detector = SpacyModel()
    assert [span.value for span in detector.find(["Guadalajara Ana"])[0]] == ["Guadalajara", "Ana"]
    assert detector.widened == 1


def test_types_without_a_class_are_left(monkeypatch):
    monkeypatch.setattr(spacy_model, "_language", lambda: Stub((0, 5, "NORP"), (0, 5, "WORK_OF_ART")))
    assert SpacyModel().find(["Dutch"]) == [()]


@pytest.mark.parametrize("locale", ["de_DE", "fr_FR"])
def test_another_language_is_refused(locale):
    with refused("pii.detector_language", value=locale):
        SpacyModel(locale)
