"""What sanitized records guarantee: what their input does, and nothing where that is private records."""

from pathlib import Path

import pytest
from support.errors import refused

from lib.common.files import write_json
from lib.privacy.accounting import Gaussian, NonPrivate
from lib.privacy.ledger import NO_UNIT, Event, Ledger
from lib.privacy.mechanism import Mechanism
from lib.sanitization.statement import ledger


def stage(folder: Path, *mechanisms: Mechanism) -> Path:
    made = Ledger("record", 100) if mechanisms else Ledger(NO_UNIT, 0)
    made.events += [Event("10_finetune_dp_lora", "weights", mechanism) for mechanism in mechanisms]
    write_json(folder / "privacy.json", made.statement(folder.name))
    return folder


def test_an_arm_keeps_its_epsilon_and_made_up_records_have_none(tmp_path: Path):
    before = stage(tmp_path / "11_generate", Gaussian(2.0))
    made = ledger("arm", before, "51_sanitize", "openai:toy")
    assert len(made.events) == 1 and 0 < made.epsilon < 10 and before.name in made.ancestors
    assert ledger("records", stage(tmp_path / "50_private_records"), "51_sanitize", None).events == []


def test_private_records_have_no_guarantee(tmp_path: Path):
    made = ledger("corpus", stage(tmp_path / "00_process_data", Gaussian(2.0)), "51_sanitize", "bundled:toy")
    assert made.epsilon == float("inf") and made.events[-1].stage == "51_sanitize"


@pytest.mark.parametrize(("name", "mechanism"), [("corpus", Gaussian(2.0)), ("arm", NonPrivate())])
def test_texts_that_may_repeat_private_records_go_nowhere(tmp_path: Path, name: str, mechanism: Mechanism):
    folder = stage(tmp_path / "input", mechanism)
    with refused("sanitization.private_to_remote", value="openai:toy"):
        ledger(name, folder, "51_sanitize", "openai:toy")
