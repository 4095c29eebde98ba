"""Notebook 14 by hand: it draws what was planned, is verified and packed, counts users, and goes on after a kill."""

import json
from pathlib import Path

import pytest
from support.budgets import CORPUS, entries
from support.errors import refused
from support.notebooks import SMALL
from support.project import Project
from support.release_world import forge

from lib.data import records
from lib.methods.private_prediction import prediction
from lib.methods.private_prediction.prediction import JOURNAL
from lib.privacy import copy_count
from lib.release import pack, verify
from lib.release.candidate import Candidate

ARM = "14_private_prediction.eps8"
NOTEBOOK = ARM.partition(".")[0]


def statement(house: Project) -> dict:
    return json.loads((house.stage(ARM, "quick") / "privacy.json").read_text())


def test_an_arm_spends_its_target_and_its_pack_is_verified_from_itself_alone(house: Project, tmp_path: Path) -> None:
    house.play(CORPUS, **SMALL[CORPUS])
    with refused("methods.too_few_units", name="samples"):
        house.play(NOTEBOOK, **SMALL[NOTEBOOK] | {"samples": 5000})
    house.play(NOTEBOOK, **SMALL[NOTEBOOK] | {"privacy_seed": None, "for_release": True})
    privacy, folder = statement(house), house.stage(ARM, "quick")
    assert 0.98 * 8 <= privacy["epsilon"] <= 8 and not privacy["not_for_release"]
    assert [event["mechanism"]["kind"] for event in privacy["events"]] == [
        "DiscreteGaussian", "Exponential", "DiscreteGaussian",
    ]  # fmt: skip
    assert privacy["events"][1]["mechanism"]["count"] == SMALL[NOTEBOOK]["max_new_tokens"]
    assert [charge.event.what for charge in entries()[-2:]] == ["tokens by private prediction", copy_count.WHAT]
    made = records.read(folder / "synthetic.jsonl")
    assert 1 <= len(made) <= 9
    records.check_labels(made, {"sentiment": ["negative", "neutral", "positive"]})
    assert not list(folder.rglob(JOURNAL)) and not list(folder.rglob("key.json"))  # neither tokens nor key are left
    assert verify.check(folder)[1] == []
    packed = pack.pack(Candidate(folder.parent, ARM))
    assert verify.check(packed)[1] == []
    card = (packed / "README.md").read_text()
    assert "By private prediction" in card and "exponential" in card

    forged = json.loads((packed / "certificate.json").read_text())
    forged["code"][ARM]["settings"]["max_new_tokens"] = 12  # as if half as many tokens had been drawn
    forge(packed, forged)
    assert "release.event_not_as_set" in [reason.code for reason in verify.check(packed)[1]]


def test_users_are_units_and_an_arm_without_a_target_is_not_private(house: Project) -> None:
    house.play(CORPUS, share=0.2, unit="user", max_records_per_user=3, privacy_seed=1)
    asked = {"target_epsilon": 2.0, "expected_batch": 3.0}
    played = house.play(NOTEBOOK, **SMALL[NOTEBOOK] | asked)
    units = [members for batch in played["parted"].values() for members in batch]
    assert len(units) == played["ledger"].units < len(played["train"])
    assert all(len({record.user for record in members}) == 1 for members in units)
    assert max(map(len, units)) > 1 and 0.98 * 2 <= statement(house)["epsilon"] <= 2
    by_file = {"prompt": None, "prompt_with_record": None, "prompts": "prompts/generic.yaml", "max_record_tokens": 20}
    played = house.play(NOTEBOOK, **SMALL[NOTEBOOK] | asked | by_file | {"target_epsilon": None})
    assert len({one.text for one in played["asked"]}) == len(played["asked"]) == 9  # each in words of its own
    privacy = statement(house)
    assert privacy["epsilon"] is None and "is not private" in privacy["not_for_release"][0]
    assert not (house.stage(ARM, "quick") / "figures" / "lengths.png").exists()


def test_a_killed_notebook_goes_on_and_is_charged_once(house: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    house.play(CORPUS, **SMALL[CORPUS])
    appended, left = prediction.Prediction._append, [5]

    def killed(self, line):
        appended(self, line)
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prediction.Prediction, "_append", killed)
        house.play(NOTEBOOK, **SMALL[NOTEBOOK])
    (journal,) = house.stage(ARM, "quick").rglob(JOURNAL)
    before = journal.read_text()
    played = house.play(NOTEBOOK, **SMALL[NOTEBOOK])
    assert [charge.event.what for charge in entries()].count("tokens by private prediction") == 1
    for line in map(json.loads, before.splitlines()):
        for number, token in zip(line["texts"], line["tokens"], strict=True):
            assert token in played["drawn"][number]
