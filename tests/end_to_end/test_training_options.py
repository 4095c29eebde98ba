"""10_finetune_dp_lora with all of its options at once: a warm start, frozen A, wrong prompts, averages, a bare chat."""

import json
from pathlib import Path

from support.budgets import CORPUS, entries
from support.notebooks import SMALL, TINY
from support.project import Project
from support.source_files import write_csv

from lib.data import records
from lib.privacy.disclosure import declared_public
from lib.privacy.ledger import read
from lib.release import settings

OPTIONS = {
    "inputs": {"corpus": CORPUS, "warm": "11_generate.base"},
    "prompt": "A {sentiment} note.", "chat": "bare", "frozen_a": True, "average_from": 2, "contrast": 2.0,
    "warm_steps": 2, "warm_batch": 3.0,
}  # fmt: skip


def test_all_options_train_and_write_and_the_arm_spends_what_its_target_says(house: Project) -> None:
    house.play(CORPUS, **SMALL[CORPUS])
    floor = {"inputs": {"corpus": CORPUS}, "base_model": TINY, "prompt": "A {sentiment} note.", "chat": "bare"}
    house.play("11_generate", **SMALL["11_generate"] | floor | {"stage": "11_generate.base"})
    trained = house.play("10_finetune_dp_lora", **SMALL["10_finetune_dp_lora"] | OPTIONS)
    assert {name for name, p in trained["settings"].__dict__.items() if p in (2, 2.0)} >= {"average_from", "contrast"}
    written = house.play("11_generate", **SMALL["11_generate"])
    assert written["template"] == trained["template"] and written["template"].chat == "bare"
    assert records.read(house.stage("11_generate.eps8", "quick") / "synthetic.jsonl")

    ledger = read(house.stage("11_generate.eps8", "quick"))
    assert 0.98 * 8 <= ledger.epsilon <= 8 and any("11_generate.base" in fact for fact in ledger.public)
    by_stage = [event.stage for event in ledger.events]  # the warm start adds none
    assert by_stage == [CORPUS, "10_finetune_dp_lora.eps8", "11_generate.eps8"]
    assert [charge.event.mechanism for charge in entries()] == ledger.mechanisms
    assert "11_generate.base" in ledger.ancestors
    done = json.loads((house.stage("10_finetune_dp_lora.eps8", "quick") / "done.json").read_text())
    assert "11_generate.base" in done["made_from"]["inputs"]
    assert settings.of_stage("10_finetune_dp_lora.eps8") is not None
    assert {*OPTIONS} - {"inputs"} <= {*settings.of_stage("10_finetune_dp_lora.eps8")}


def test_texts_declared_public_are_learned_first_and_the_ledger_says_so(house: Project, tmp_path: Path) -> None:
    house.play(CORPUS, **SMALL[CORPUS])
    tweets = write_csv(tmp_path / "tweets.csv", [{"Tweet": f"the box {n} came late again"} for n in range(5)])
    source = f"public:csv:{tweets}"
    start = {"warm_source": source, "warm_columns": {"text": "Tweet"}, "warm_steps": 2, "warm_batch": 3.0}
    given = SMALL["10_finetune_dp_lora"] | start | {"prompt": "A {sentiment} note."}
    trained = house.play("10_finetune_dp_lora", **given)
    folder = house.stage("10_finetune_dp_lora.eps8", "quick")
    learned = records.read(folder / "warm.jsonl")
    assert len(learned) == len(trained["public"]) == 5 and not any(text.labels for text in learned)
    ledger = read(folder)
    assert declared_public("warm_source", source) in ledger.public
    assert not any("tweets" in fact for fact in ledger.public)
    assert [event.stage for event in ledger.events] == [CORPUS, "10_finetune_dp_lora.eps8"]
    files = json.loads((folder / "done.json").read_text())["made_from"]["files"]
    assert [Path(name).name for name in files] == [tweets.name]  # it trains again when they change
