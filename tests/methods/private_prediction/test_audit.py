"""Texts written again with canaries: a text for each canary's batch, and an attack that knows all others."""

from pathlib import Path

import numpy as np
import yaml
from support.audit_toys import CELLS, corpus, plant

from lib.audit import attack, target
from lib.audit.canary_set import coins
from lib.common.files import write_json
from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.private_prediction import audit, prediction
from lib.privacy.accounting import DiscreteGaussian, Exponential
from lib.privacy.ledger import Event, Ledger

CORPUS, ARM = "00_process_data", "14_private_prediction.eps8"
GIVEN = {
    "inputs": {"corpus": CORPUS}, "model": "bundled:tiny-random", "prompt": "One {mood} text.",
    "prompt_with_record": "One {mood} text, like: {text}\nAnother:", "prompts": None, "chat": False,
    "max_record_tokens": 60,
    "target_epsilon": 8.0, "expected_batch": 2.0, "copy_share": 0.2, "reserve": 0.0, "for_release": False,
    "privacy_seed": 5, "samples": 4, "temperature": 1.0, "top_k": 0, "top_k_margin": 0.5, "max_new_tokens": 12,
    "one_line": False, "unfinished": "drop", "batch_size": 16, "device": "cpu", "dtype": "float32",
}  # fmt: skip


def finished(run: Path) -> target.Arm:
    """A corpus and an arm as their stages leave them."""
    ledger = Ledger("record", 40)
    ledger.events.append(Event(CORPUS, "label histogram", DiscreteGaussian(10.0)))
    (run / CORPUS).mkdir()
    write_json(run / CORPUS / "privacy.json", ledger.statement(CORPUS))
    write_json(run / CORPUS / "label_histogram.json", {"cells": CELLS, "noisy_counts": [20, 20]})
    ledger.events.append(Event(ARM, "tokens by private prediction", Exponential(3.0, 12)))
    (run / ARM).mkdir()
    write_json(run / ARM / "privacy.json", ledger.statement(ARM))
    (run / ARM / "params.yaml").write_text(yaml.safe_dump(GIVEN))
    records.write(run / ARM / "synthetic.jsonl", [Record("s0", PrivateText("a text"), CELLS[0])])
    return target.read(run / ARM)


def test_texts_are_written_again_and_the_control_gives_canaries_away(tmp_path: Path, monkeypatch) -> None:
    drawn, draw = [], prediction.draw
    monkeypatch.setattr(prediction, "draw", lambda *a: drawn.append(a) or draw(*a))
    arm, planting = finished(tmp_path), plant(30)
    canaried = target.CanariedCorpus(tmp_path / CORPUS, corpus(), planting)
    made = audit.make_again(arm, canaried, tmp_path / "again", lambda *arguments: lambda done: None)
    inside, (event,) = coins(planting.single), made.statement["events"][1:]
    assert event["stage"] == ARM and event["mechanism"]["kind"] == "Exponential"
    assert made.statement["epsilon"] <= 8 and made.statement["units"] == len(canaried.train)
    assert attack.auc(made.unnoised["tokens"], inside).value > attack.CAUGHT
    assert attack.auc(made.single["tokens"], inside).value < attack.auc(made.unnoised["tokens"], inside).value
    assert made.single["tokens"].shape == (30,) and np.count_nonzero(made.single["tokens"]) == 30
    written = len(drawn)
    again = audit.make_again(arm, canaried, tmp_path / "again", lambda *arguments: lambda done: None)
    assert len(drawn) == written  # taken up: nothing was drawn again
    np.testing.assert_allclose(again.single["tokens"], made.single["tokens"])
