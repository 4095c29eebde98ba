"""A reference counts as private, whatever the synthetic set was made from."""

import json
from pathlib import Path

import pytest
from support.pii_sets import examples, finished_stage

from lib.pii.checking.statement import ledger
from lib.privacy.ledger import Ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    finished_stage(tmp_path / "40_pii_text", examples(6))
    return tmp_path / "40_pii_text"


def test_without_a_reference_the_check_has_what_its_input_spent(folder: Path) -> None:
    found = ledger([folder], "41_pii_check", 0)
    assert found.events == [] and list(found.ancestors) == ["40_pii_text"]


@pytest.mark.parametrize("texts", [1, 50])
def test_with_a_reference_nothing_of_it_is_private(folder: Path, texts: int) -> None:
    made = ledger([folder], "41_pii_check", texts).statement("41_pii_check")
    assert made["epsilon"] is None and made["not_for_release"]
    assert [event["stage"] for event in made["events"]] == ["41_pii_check"]
    assert json.dumps(made) and Ledger("record", 2).events == []
