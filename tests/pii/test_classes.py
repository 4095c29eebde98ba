"""The 56 classes, their names elsewhere, and refusals that name the nearest."""

import pytest

from lib.common.errors import DoppelError
from lib.pii.classes import classes, classes_of, mapping, named
from lib.pii.values import DRAWN

# the entities of presidio-analyzer 2.2, the types of OntoNotes 5 and of the Text Anonymization Benchmark
PRESIDIO = {
    "CREDIT_CARD", "CRYPTO", "DATE_TIME", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "LOCATION", "MAC_ADDRESS", "NRP",
    "PERSON", "PHONE_NUMBER", "URL", "US_BANK_NUMBER", "US_SSN",
}  # fmt: skip
ONTONOTES = {
    "CARDINAL", "DATE", "EVENT", "FAC", "GPE", "LANGUAGE", "LAW", "LOC", "MONEY", "NORP", "ORDINAL", "ORG", "PERCENT",
    "PERSON", "PRODUCT", "QUANTITY", "TIME", "WORK_OF_ART",
}  # fmt: skip
TAB = {"PERSON", "CODE", "LOC", "ORG", "DEM", "DATETIME", "QUANTITY", "MISC"}


def test_there_are_56_classes_and_each_can_be_drawn() -> None:
    assert len(classes()) == 56 and list(classes()) == sorted(classes()) == list(DRAWN)


def test_names_elsewhere_are_names_that_there_are() -> None:
    for entry in classes().values():
        assert {entry.presidio} <= PRESIDIO | {None} and {entry.ontonotes} <= ONTONOTES | {None}
        assert entry.tab in TAB and entry.identifier in ("DIRECT", "QUASI", "NO_MASK") and entry.description


def test_a_mapping_there_and_back() -> None:
    assert mapping("presidio")["FIRSTNAME"] == mapping("ontonotes")["FIRSTNAME"] == "PERSON"
    assert mapping("presidio")["PASSWORD"] is None and mapping("tab")["PASSWORD"] == "CODE"
    assert classes_of("PERSON", "presidio") == ("FIRSTNAME", "LASTNAME", "MIDDLENAME")
    for name, label in mapping("ontonotes").items():
        assert label is None or name in classes_of(label, "ontonotes")


@pytest.mark.parametrize(
    ("ask", "code", "remedy"),
    [
        (lambda: named("FIRST_NAME"), "pii.unknown_class", "did you mean FIRSTNAME?"),
        (lambda: named("email"), "pii.unknown_class", "did you mean EMAIL?"),
        (lambda: classes_of("PERSONS", "tab"), "pii.unknown_label", "did you mean PERSON?"),
        (lambda: mapping("presidios"), "pii.unknown_scheme", "did you mean presidio?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(ask, code: str, remedy: str) -> None:
    with pytest.raises(DoppelError) as refusal:
        ask()
    assert refusal.value.code == code and refusal.value.remedy == remedy
