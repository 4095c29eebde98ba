"""A reference counts as private, whatever the synthetic set was made from."""

from pathlib import Path

import pytest
from support.pii_sets import examples, finished_stage

from lib.pii.checking.statement import ledger
from lib.privacy.ledger import NO_UNIT, Ledger


def stage(tmp_path: Path, made: Ledger) -> Path:
    finished_stage(tmp_path / "40_pii_text", examples(6), made)
    return tmp_path / "40_pii_text"


LEDGERS = pytest.mark.parametrize("made", [Ledger(NO_UNIT, 0), Ledger("user", 100)], ids=["no corpus", "of an arm"])


@LEDGERS
def test_without_a_reference_the_check_has_what_its_input_spent(tmp_path: Path, made: Ledger) -> None:
    found = ledger([stage(tmp_path, made)], "41_pii_check", 0)
    assert found.events == [] and list(found.ancestors) == ["40_pii_text"] and found.unit == made.unit


@LEDGERS
@pytest.mark.parametrize("texts", [1, 50])
def test_with_a_reference_nothing_of_it_is_private(tmp_path: Path, made: Ledger, texts: int) -> None:
    found = ledger([stage(tmp_path, made)], "41_pii_check", texts).statement("41_pii_check")
    assert found["epsilon"] is None and found["not_for_release"] and "40_pii_text" in found["ancestors"]
    assert [event["stage"] for event in found["events"]] == ["41_pii_check"]
