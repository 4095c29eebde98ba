"""Notebook 10_steer and the arm that it leads to, by hand: spends its target, is verified, and goes on after a kill."""

import json

import numpy as np
import pytest
from support.budgets import CORPUS, entries
from support.notebooks import SMALL
from support.project import Project
from support.release_world import forge

from lib.common.files import read_json
from lib.data import records
from lib.methods.steering import steering
from lib.privacy import copy_count
from lib.release import pack, verify
from lib.release.candidate import Candidate

STEER, ARM = "10_steer.eps8", "11_generate.steered"
WRITES = SMALL["11_generate"] | {"stage": ARM, "inputs": {"corpus": CORPUS, "steer": STEER}, "samples": 9}


def test_an_arm_spends_its_target_and_its_pack_is_verified_from_itself_alone(house: Project) -> None:
    house.play(CORPUS, **SMALL[CORPUS])
    house.play("10_steer", **SMALL["10_steer"] | {"privacy_seed": None, "for_release": True})
    house.play("11_generate", **WRITES)
    steered, folder = (house.stage(stage, "quick") for stage in (STEER, ARM))
    privacy = read_json(folder / "privacy.json")
    assert 0.98 * 8 <= privacy["epsilon"] <= 8 and not privacy["not_for_release"]
    assert [event["mechanism"]["kind"] for event in privacy["events"]] == [
        "DiscreteGaussian", "Gaussian", "DiscreteGaussian",
    ]  # fmt: skip
    assert [charge.event.what for charge in entries()[-2:]] == ["mean states of records", copy_count.WHAT]
    made = records.read(folder / "synthetic.jsonl")
    assert 1 <= len(made) <= 9
    records.check_labels(made, {"sentiment": ["negative", "neutral", "positive"]})
    assert np.load(steered / steering.FILE).shape == (4, 1, 64) and not list(steered.rglob(steering.NOISY.format("*")))
    losses = read_json(steered / "losses.json")
    assert list(losses) == ["0.0", "0.5", "1.0", "1.5"]
    assert read_json(folder / "metrics.json")["held_out_loss"] != pytest.approx(losses["0.0"][0], abs=1e-6)
    assert verify.check(folder)[1] == []
    packed = pack.pack(Candidate(folder.parent, ARM))
    assert verify.check(packed)[1] == []
    assert "By activation steering" in (packed / "README.md").read_text()

    forged = json.loads((packed / "certificate.json").read_text())
    forged["code"][STEER]["settings"]["target_epsilon"] = 4.0  # as if more noise had been asked for
    forge(packed, forged)
    assert verify.check(packed)[1]


def test_users_are_units_and_an_arm_without_a_target_is_not_private(house: Project) -> None:
    house.play(CORPUS, share=0.2, unit="user", max_records_per_user=3, privacy_seed=1)
    played = house.play("10_steer", **SMALL["10_steer"] | {"target_epsilon": 2.0})
    assert played["ledger"].units < len(played["train"])
    assert 0.9 * 2 <= read_json(house.stage(STEER, "quick") / "privacy.json")["epsilon"] <= 2
    house.play("10_steer", **SMALL["10_steer"] | {"target_epsilon": None})
    played = house.play("11_generate", **WRITES | {"guidance": 0.5, "prompt_without_label": "Any:", "strength": 2.0})
    privacy = read_json(house.stage(ARM, "quick") / "privacy.json")
    assert privacy["epsilon"] is None and "is not private" in privacy["not_for_release"][0]
    assert played["counted"] is None and not played["visible"]


def test_a_killed_notebook_goes_on_with_its_noise_and_is_charged_once(house: Project, monkeypatch) -> None:
    house.play(CORPUS, **SMALL[CORPUS])

    def killed(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(steering, "directions", killed)
        house.play("10_steer", **SMALL["10_steer"])
    (kept,) = house.stage(STEER, "quick").rglob(steering.NOISY.format("*"))
    before = np.load(kept)
    with monkeypatch.context() as patch:
        patch.setattr(steering, "write_array", lambda *given: pytest.fail("noise was drawn again"))
        played = house.play("10_steer", **SMALL["10_steer"])
    assert np.array_equal(played["noisy"], before)
    assert [charge.event.what for charge in entries()].count("mean states of records") == 1
