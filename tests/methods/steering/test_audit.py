"""A steering made again with canaries: the control gives them away, the noise hides them, nothing is drawn twice."""

from pathlib import Path

import numpy as np
import yaml
from methods.steering.conftest import PARAMETERS
from support.audit_toys import CELLS, corpus, plant

from lib.audit import attack, target
from lib.audit.canary_set import coins
from lib.common.files import write_json
from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.steering import audit
from lib.methods.steering.total import Total
from lib.privacy.accounting import DiscreteGaussian, Gaussian
from lib.privacy.ledger import Event, Ledger

CORPUS, STEER, ARM = "00_process_data", "10_steer.eps1", "11_generate.steered"
GIVEN = PARAMETERS | {"target_epsilon": 1.0, "max_tokens": 60, "tokens_at_once": 1024}
WRITING = {
    "inputs": {"corpus": CORPUS, "steer": STEER}, "strength": 1.0, "seed": 0, "temperature": 1.0, "top_p": 1.0,
    "max_new_tokens": 40, "one_line": False, "guidance": 1.0, "prompt_without_label": None, "max_attempts": 5,
}  # fmt: skip


def finished(run: Path) -> target.Arm:
    """A corpus, a steering and an arm as their stages leave them."""
    ledger = Ledger("record", 40)
    ledger.events.append(Event(CORPUS, "label histogram", DiscreteGaussian(10.0)))
    for stage, parameters in ((CORPUS, {}), (STEER, GIVEN), (ARM, WRITING)):
        (run / stage).mkdir()
        (run / stage / "params.yaml").write_text(yaml.safe_dump(parameters))
        if stage == STEER:
            ledger.events.append(Event(STEER, "mean states of records", Gaussian(5.0)))
        write_json(run / stage / "privacy.json", ledger.statement(stage))
    write_json(run / CORPUS / "label_histogram.json", {"cells": CELLS, "noisy_counts": [20, 20]})
    write_json(run / CORPUS / "catalogue.json", [])
    records.write(run / ARM / "synthetic.jsonl", [Record("s0", PrivateText("a text"), CELLS[0])])
    return target.read(run / ARM)


def test_the_sum_is_drawn_again_and_only_the_control_gives_canaries_away(tmp_path: Path, monkeypatch) -> None:
    drawn, noisy = [], Total.noisy
    monkeypatch.setattr(Total, "noisy", lambda *given: drawn.append(given) or noisy(*given))
    arm, planting = finished(tmp_path), plant(30)
    canaried = target.CanariedCorpus(tmp_path / CORPUS, corpus(), planting, texts=3)
    made = audit.make_again(arm, canaried, tmp_path / "again", lambda *arguments: lambda done: None)
    inside, (event,) = coins(planting.single), made.statement["events"][1:]
    assert event["stage"] == ARM and event["mechanism"]["kind"] == "Gaussian" and 1 <= len(made.texts) <= 3
    assert made.statement["epsilon"] <= 1 and made.statement["units"] == len(canaried.train)
    assert attack.auc(made.unnoised["states"], inside).value > attack.CAUGHT
    assert attack.auc(made.single["states"], inside).value < attack.auc(made.unnoised["states"], inside).value
    assert len(drawn) == 1
    again = audit.make_again(arm, canaried, tmp_path / "again", lambda *arguments: lambda done: None)
    assert len(drawn) == 1  # taken up: nothing was drawn again
    np.testing.assert_allclose(again.single["states"], made.single["states"])
