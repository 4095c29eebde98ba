"""From scrubbed records to a certificate: scrub, learn with privacy, write, fill the slots, attack, pack."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.budgets import entries
from support.notebooks import SMALL
from support.project import Project

from lib.common.files import read_json
from lib.data import records
from lib.data.private_text import PrivateText
from lib.data.records import Record
from lib.generation import generate
from lib.pii.slots import parse
from lib.release import pack, verify
from lib.release.candidate import Candidate

SOURCE = "csv:mine.csv"
CORPUS, SCRUB, TRAIN, WRITE, FILL = "00_process_data", "01_scrub", "10_finetune_dp_lora", "11_generate", "40_pii_text"
LEARN, ARM = f"{TRAIN}.eps8", f"{WRITE}.eps8"
WRITTEN = generate.generate_records
WORDS = ["camera", "battery", "screen", "light", "heavy", "cheap", "strong", "menu", "photo", "sound", "cable", "box"]


def sentences(count: int) -> list[str]:
    """Reviews, every third with the name, address and phone number of somebody."""
    draw = np.random.default_rng(0)
    plain = [" ".join(draw.choice(WORDS, 9)) for _ in range(count)]
    someone = "Mr. Person{0}x, person{0}@mail.org or 425-555-01{0:02}: "
    return [someone.format(n % 100) + text if n % 3 == 0 else text for n, text in enumerate(plain)]


def with_slots(*given: Any, **settings: Any) -> tuple[list[Record], Any]:
    """What a model that had learned slots would write in place of the random one's letters."""
    made, drawn = WRITTEN(*given, **settings)
    texts = [f"Mr. [LASTNAME] sent camera {n} to [EMAIL_2]." for n in range(len(made))]
    return [replace(record, text=PrivateText(text)) for record, text in zip(made, texts, strict=True)], drawn


def test_scrubbed_records_give_labelled_text_with_one_certificate(
    house: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f'"{text}",{("good", "bad")[n % 2]}' for n, text in enumerate(sentences(240))]
    (house.root / "mine.csv").write_text("\n".join(["text,mood", *rows]) + "\n")
    columns = {"text": "text", "labels.mood": "mood"}
    house.play(CORPUS, source=SOURCE, columns=columns, label_domain={"mood": ["good", "bad"]})
    scrubbed = house.play(SCRUB, detectors=["rules"], made_up=1)
    run = house.stage(SCRUB, "quick").parent
    for side in ("train", "test"):
        before, after = (records.read(run / stage / f"{side}.jsonl") for stage in (CORPUS, SCRUB))
        texts = {record.id: record.text.reveal() for record in after}
        assert side == "test" or [record.id for record in before] == list(texts)
        assert not any("Person" in text or "@" in text or "555" in text for text in texts.values())
        assert all(("[EMAIL]" in texts[r.id]) == ("@" in r.text.reveal()) for r in before if r.id in texts)
        assert not any(parse(text, {"EMAIL", "LASTNAME", "PHONENUMBER"}).faults for text in texts.values())
    assert scrubbed["metrics"]["values_taken_out"] == 3 * scrubbed["metrics"]["train_records_with_personal_data"] > 0
    own, original = (read_json(run / stage / "privacy.json") for stage in (SCRUB, CORPUS))
    assert {name: own[name] for name in ("epsilon", "events", "unit", "units", "delta")} == {
        name: original[name] for name in ("epsilon", "events", "unit", "units", "delta")
    }

    small = SMALL[TRAIN] | {"prompt": "{mood}:", "privacy_seed": None, "inputs": {"corpus": SCRUB}}
    house.play(TRAIN, **small)
    with monkeypatch.context() as patch:
        patch.setattr(generate, "generate_records", with_slots)
        house.play(WRITE, **SMALL[WRITE], inputs={"corpus": SCRUB, "model": LEARN})
    house.play(FILL, stage=f"{FILL}.eps8", inputs={"arm": ARM}, writer="arm", tokenizer=None)
    charged = [charge.event.stage for charge in entries(SOURCE)]
    assert charged == [CORPUS, LEARN, ARM]  # all to the account of the file that was scrubbed

    for arm in (ARM, f"{FILL}.eps8"):
        folder = pack.pack(Candidate(run, arm))
        assert verify.check(folder)[1] == []
        whole = json.loads((folder / "certificate.json").read_text())
        assert {CORPUS, SCRUB, LEARN} <= set(whole["ancestors"])
        assert whole["code"][SCRUB]["settings"]["mode"] == "slots"
        assert [event["stage"] for event in whole["events"]] == [CORPUS, LEARN, ARM]

    names = {"inputs": {"corpus": SCRUB, "eps8": ARM}, "remade": ["eps8"], "control": "eps8"}
    sizes = {"canaries": 1000, "control_canaries": 1000, "text_canaries": 12, "references": 3, "background": 10}
    more = {"copies": [2, 3], "repeated": [2, 2], "texts": 3, "tokens_of": "bundled:tiny-random"}
    house.play("20_canary_privacy", **names, **sizes, **more, prefixed_shares=[0.5])
    found = read_json(run / "20_canary_privacy" / "findings.json")
    arms = {row["arm"]: [r for r in found["persons"] if r["arm"] == row["arm"]] for row in found["persons"]}
    assert list(arms) == ["eps8", "eps8_unscrubbed"]
    left, planted = (sum(row["left"] for row in arms[arm]) for arm in arms)
    included = sum(row["included"] for row in arms["eps8"])
    assert planted == included >= left  # rules know phones, and neither names nor streets
    assert [row["arm"] for row in found["prefixed"]] == list(arms)
    assert entries(SOURCE)[-1].event.stage == ARM  # an audit charges nothing
