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


def test_an_arm_that_was_made_again_whole_is_not_made_once_more(tmp_path: Path) -> None:
    made = target.MadeAgain(
        scores={"loss against base": np.float32([0.1, -0.2]), "gradients": np.arange(6.0).reshape(3, 2)},
        texts=["one", "two"],
        statement={"epsilon": None, "events": []},
        unnoised={"votes": np.array([0.3])},
    )
    calls: list[str] = []

    def make(arm: str, corpus: str, folder: Path, bars: str) -> target.MadeAgain:
        calls.append(arm)
        if len(calls) == 1:
            raise KeyboardInterrupt  # the kernel dies in the middle
        return made

    asked = (make, "arm", "corpus", tmp_path / "eps8", "bars")
    with pytest.raises(KeyboardInterrupt):
        target.make_once(*asked)
    assert target.make_once(*asked) is made
    again = target.make_once(*asked)
    assert len(calls) == 2 and again.texts == made.texts and again.statement == made.statement
    for kind in ("scores", "single", "unnoised"):
        kept, was = getattr(again, kind), getattr(made, kind)
        assert list(kept) == list(was)  # tables follow this order
        assert all(np.array_equal(kept[name], was[name]) and kept[name].dtype == was[name].dtype for name in was)
