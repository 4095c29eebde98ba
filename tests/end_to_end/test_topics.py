"""Topics from the corpus to the texts: one more label, the same event, and neighbours that stay neighbours."""

import json
from pathlib import Path

import numpy as np
from support.budgets import CORPUS, EVOLVE
from support.notebooks import SMALL, TINY
from support.project import Project

from lib.data import records
from lib.privacy.accounting import DiscreteGaussian
from lib.release import claims

MOODS = ["bad", "good"]


def process(house: Project, rows: list[str]) -> Path:
    (house.root / "mine.csv").write_text("\n".join(["text,mood", *rows]) + "\n")
    house.play(
        CORPUS,
        source="csv:mine.csv",
        columns={"text": "text", "labels.mood": "mood"},
        label_domain={"mood": MOODS},
        topics=3,
        topic_encoder=f"hidden:{TINY}",
        label_histogram_scale=2.0,
        delta=1e-4,
        privacy_seed=1,
    )
    return house.stage(CORPUS, "quick")


def labelled(folder: Path, side: str) -> dict[str, dict[str, str]]:
    return {record.text.reveal(): dict(record.labels) for record in records.read(folder / f"{side}.jsonl")}


def test_one_record_more_changes_one_count_and_texts_are_made_by_topic(house: Project) -> None:
    draw = np.random.default_rng(0)
    words = ["camera", "battery", "screen", "light", "heavy", "cheap", "strong", "menu", "photo", "sound", "cable"]
    rows = [f"{' '.join(draw.choice(words, draw.integers(4, 12)))} {i},{MOODS[i % 2]}" for i in range(80)]
    sides, counts = [], []
    for given in (rows[:-1], rows):
        folder = process(house, given)
        sides.append({side: labelled(folder, side) for side in ("train", "test")})
        histogram = json.loads((folder / "label_histogram.json").read_text())
        counts.append(np.array(histogram["noisy_counts"]))
    without, having = sides
    new = rows[-1].rpartition(",")[0]
    assert new in having["train"]
    assert {text: value for text, value in having["train"].items() if text != new} == without["train"]
    assert np.abs(counts[1] - counts[0]).sum() == 1  # the privacy_seed fixes the noise, so this is the clean change

    names = histogram["topics"]
    assert len(names) == 3 and len(histogram["cells"]) == 6
    assert {value["topic"] for side in having.values() for value in side.values()} <= set(names)
    statement = json.loads((folder / "privacy.json").read_text())
    assert [event["mechanism"] for event in statement["events"]] == [DiscreteGaussian(2.0).as_json()]
    assert (folder / "figures" / "topics.png").is_file()
    settings = claims.settings(CORPUS, json.loads((folder / "done.json").read_text())["made_from"]["parameters"])
    assert settings["topics"] == 3 and settings["topic_texts"] is None

    prompt = {"base_model": TINY, "prompt": "{mood} {topic}:", "chat": False, "inputs": {"corpus": CORPUS}}
    house.play("11_generate", **SMALL["11_generate"] | prompt | {"stage": "11_generate.base", "guidance": 0.0})
    house.play("12_aug_pe", **SMALL["12_aug_pe"] | {"judge": f"hidden:{TINY}", "iterations": 1})
    for arm in ("11_generate.base", EVOLVE):
        made = records.read(house.stage(arm, "quick") / "synthetic.jsonl")
        assert made
        records.check_labels(made, {"mood": MOODS, "topic": names})
