"""An arm that is to be audited, and the corpus with canaries that it is made again on."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from support.audit_toys import arm, plant
from support.errors import refused

from lib.audit import target
from lib.common.files import write_json
from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods import registry
from lib.privacy.ledger import Ledger


def write_arm(root: Path, stage: str, parameters: dict, epsilon: float | None = 8.0) -> Path:
    folder = root / stage
    folder.mkdir()
    (folder / "params.yaml").write_text(yaml.safe_dump(parameters))
    write_json(folder / "privacy.json", {"epsilon": epsilon, "delta": 1e-4})
    records.write(folder / "synthetic.jsonl", [Record("s", PrivateText("made up"), {})])
    return folder


def test_an_arm_has_its_own_parameters_and_those_of_the_training_before_it(tmp_path: Path) -> None:
    write_arm(tmp_path, "10_finetune_dp_lora.x", {"steps": 17})
    inputs = {"corpus": "00_process_data", "model": "10_finetune_dp_lora.x"}
    read = target.read(write_arm(tmp_path, "11_generate.x", {"inputs": inputs, "temperature": 0.7}, None))
    assert read.parameters_of("model")["steps"] == 17 and read.parameters["temperature"] == 0.7
    assert read.epsilon == np.inf and list(read.texts) == ["made up"]
    assert "made up" not in repr(read)


def test_what_is_no_arm_is_refused(tmp_path: Path) -> None:
    folder = write_arm(tmp_path, "00_process_data", {})
    (folder / "synthetic.jsonl").unlink()
    with refused("audit.no_arm", name="00_process_data"):
        target.read(folder)
    base = target.read(write_arm(tmp_path, "11_generate.base", {"inputs": {}}))
    with refused("methods.nothing_to_audit", name="prompt only"):
        registry.of_arm(base.stage, base.inputs).make_again()


def test_more_canaries_than_a_delta_can_bear_are_refused_before_anything_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target.ledgers, "read", lambda folder: Ledger("record", 20))
    planted, one = plant(), arm(tmp_path)
    more = len(planted.insert([]))
    fitting = [Record(str(i), PrivateText("made up"), {}) for i in range(1000 - more)]
    assert target.CanariedCorpus(tmp_path, fitting, planted).ledger(one).units == 1000  # its delta is one in 1000
    over = target.CanariedCorpus(tmp_path, [*fitting, Record("one", PrivateText("more"), {})], planted)
    with refused("audit.too_many_canaries", value=1001):
        over.ledger(one)
