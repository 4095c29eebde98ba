"""The votes of a hybrid arm held again with canaries: the arm's noise, its candidates, and a control without noise."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from support.audit_toys import CELLS, corpus, plant

from lib.audit import attack, target
from lib.audit.canary_set import coins
from lib.common.files import write_json
from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.methods.private_evolution import evolution
from lib.methods.selection import audit, candidates
from lib.models import encoders
from lib.privacy.accounting import DiscreteGaussian, Gaussian
from lib.privacy.ledger import Event, Ledger

NOISE = 40.0
CORPUS, ARM = "00_process_data", "13_select.eps8"


class Plane:
    """An encoder that puts every text somewhere on a plane."""

    def encode(self, texts: list, progress: object = None) -> np.ndarray:
        plain = [text.reveal() if isinstance(text, PrivateText) else text for text in texts]
        draws = [np.random.default_rng(list(text.encode())).normal(0, 3, 2) for text in plain]
        return np.array(draws, np.float32).reshape(-1, 2)


def finished(run: Path) -> target.Arm:
    """A corpus and a hybrid arm as their stages leave them."""
    ledger = Ledger("record", 40)
    ledger.events.append(Event(CORPUS, "label histogram", DiscreteGaussian(10.0)))
    (run / CORPUS).mkdir()
    write_json(run / CORPUS / "privacy.json", ledger.statement(CORPUS))
    write_json(run / CORPUS / "label_histogram.json", {"cells": CELLS, "noisy_counts": [20, 20]})
    ledger.events += [
        Event("10_finetune_dp_lora.a", "DP-SGD", Gaussian(1.0, 0.5, 3), checked=True),
        Event("11_generate.a", "count of copied units", DiscreteGaussian(9.0)),
        Event(ARM, "votes for candidates", Gaussian(NOISE, count=2)),
        Event(ARM, "count of copied units", DiscreteGaussian(8.0)),
    ]
    (run / ARM).mkdir()
    write_json(run / ARM / "privacy.json", ledger.statement(ARM))
    given = {"encoder": "plane", "votes": 2, "samples": 10, "k_nn": 1, "threshold": 0.0, "selection": "rank"}
    given |= {"seed": 0, "privacy_seed": 5, "target_epsilon": 8.0, "inputs": {"corpus": CORPUS}}
    (run / ARM / "params.yaml").write_text(yaml.safe_dump(given))
    offered = [Record(f"11_generate.a/{i}", PrivateText(f"candidate {i}"), CELLS[i % 2]) for i in range(60)]
    records.write(run / ARM / candidates.FILE, offered)
    records.write(run / ARM / candidates.TEXTS, offered[:10])
    return target.read(run / ARM)


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "open_encoder", lambda *arguments, **options: Plane())
    monkeypatch.setattr(encoders, "embed_private", lambda encoder, texts, **options: encoder.encode(texts))


@pytest.mark.usefixtures("plane")
def test_the_vote_is_held_again_with_the_arm_s_own_noise_and_candidates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, draw = [], evolution.noisy_votes
    monkeypatch.setattr(evolution, "noisy_votes", lambda *a, **k: drawn.append(k) or draw(*a, **k))
    arm, planting = finished(tmp_path), plant(30)
    canaried = target.CanariedCorpus(tmp_path / CORPUS, corpus(), planting)
    made = audit.make_again(arm, canaried, tmp_path / "again", lambda *arguments: lambda done: None)
    assert [one["noise_multiplier"] for one in drawn] == [NOISE, NOISE]
    assert len(made.texts) == 10 and set(made.texts) <= {f"candidate {i}" for i in range(60)}
    events = made.statement["events"]
    assert [event["stage"] for event in events] == [CORPUS, "10_finetune_dp_lora.a", "11_generate.a", ARM]
    assert events[-1]["mechanism"] == Gaussian(NOISE, count=2).as_json()
    assert made.statement["units"] == len(canaried.train) > 40
    inside = coins(planting.single)
    unnoised = made.unnoised["votes"]
    assert attack.auc(unnoised, inside).value > 0.85  # the control: without noise canaries are given away
    assert attack.auc(made.single["votes"], inside).value < 0.8
    again = audit.make_again(arm, canaried, tmp_path / "again", lambda *arguments: lambda done: None)
    assert len(drawn) == 2  # taken up: nothing was drawn again
    np.testing.assert_array_equal(again.single["votes"], made.single["votes"])
