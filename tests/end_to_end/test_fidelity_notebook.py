"""21_fidelity at a dozen records: arms that went wrong get numbers or reasons, and no private word is shown."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.errors import refused
from support.project import Project

from lib.evaluation import views
from lib.pipeline import preflight

TINY = "bundled:tiny-random"
MARK = "zqjxv"  # stands in every private record, and in nothing else
BAD = {  # what an arm may come to: its texts and labels
    "one": (["A single record of the arm."], "positive"),
    "empty": ([""] * 12, "negative"),
    "japanese": ([f"この製品はとても良いです。{i}番目の文です。" for i in range(12)], "neutral"),
    "long": (["battery " * 10_000] * 11 + ["A short one."], "positive"),  # nearly all alike, too
    "unlabelled": ([f"The sound of number {i} is good." for i in range(12)], None),
}


@pytest.fixture
def arms(house: Project) -> Project:
    """A corpus of marked records, an arm that was made, and copies of it that went wrong."""
    draw = np.random.default_rng(0)
    words = ["camera", "battery", "screen", "light", "heavy", "cheap", "strong", "menu", "photo", "sound", "cable"]
    lines = [f"{MARK}{i} {' '.join(draw.choice(words, 9))}" for i in range(200)]
    table = "\n".join(["Review,Mood", *(f"{line},{('positive', 'negative')[i % 2]}" for i, line in enumerate(lines))])
    (house.root / "private.csv").write_text(table)
    columns = {"text": "Review", "labels.sentiment": "Mood"}
    house.play(
        "00_process_data",
        source=f"csv:{house.root / 'private.csv'}",
        columns=columns,
        privacy_seed=1,
        tracking="off",
    )
    prompting = {"base_model": TINY, "prompt": "{sentiment}:", "chat": False, "inputs": {"corpus": "00_process_data"}}
    tiny = {
        "samples": 12,
        "guidance": 0.0,
        "max_new_tokens": 60,
        "engine": "transformers",
        "device": "cpu",
        "tracking": "off",
    }
    house.play("11_generate", stage="11_generate.base", **prompting, **tiny)
    for name, (texts, label) in BAD.items():
        folder = house.stage(f"11_generate.{name}", "quick")
        shutil.copytree(house.stage("11_generate.base", "quick"), folder)
        labels = {} if label is None else {"sentiment": label}
        lines = [{"id": f"{name}-{i}", "text": text, "labels": labels} for i, text in enumerate(texts)]
        (folder / "synthetic.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return house


def play(project: Project, **values: object) -> dict[str, object]:
    inputs = {name: f"11_generate.{name}" for name in ("base", *BAD)}
    small = {"encoder": f"hidden:{TINY}", "voting_encoder": None, "draws": 9, "view_seeds": 2, "permutations": 19}
    given = {"inputs": {"corpus": "00_process_data"} | inputs, "device": "cpu", "tracking": "off"} | small | values
    return project.play("21_fidelity", **given)


def test_arms_that_went_wrong_have_numbers_or_reasons_and_no_private_word_is_shown(
    arms: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder: Path = play(arms)["stage"].folder
    table = json.loads((folder / "fidelity.json").read_text())
    rows = table["rows"]
    assert {row["arm"] for row in rows} == {"base", *BAD}
    for row in rows:
        assert (row["value"] is None) == (row["value_low"] is None)
        assert row["because"] or all(math.isfinite(row[name]) for name in ("value", "position", "floor", "ceiling"))
    by = {(row["arm"], row["metric"]): row for row in rows}
    assert "needs 9 records of each side" in by["one", "frechet"]["because"] and by["one", "frechet"]["n"] == 1
    assert (
        "one side has none of the words" in by["empty", "word_jsd"]["because"] and by["empty", "non_text"]["value"] == 1
    )
    assert by["japanese", "word_jsd"]["value"] == pytest.approx(1) and by["japanese", "frechet"]["value"] > 0
    assert by["long", "record_length_w1"]["value"] > 5000 and by["long", "repetitive"]["value"] == pytest.approx(
        11 / 12
    )
    assert by["unlabelled", "tv"]["value"] == 1 and by["unlabelled", "coverage"]["value"] is not None
    metrics = json.loads((folder / "metrics.json").read_text())
    assert all(math.isfinite(value) for value in metrics.values()) and metrics["records_each"] == 12

    assert table["n"] == 12 and table["mmd_p"].keys() == {"base", "ceiling", *BAD}
    assert "needs at least 2" in table["mmd_p"]["one"]["because"] and table["mmd_p"]["empty"]["p"] == 1 / 20
    assert all(line.keys() >= {"cluster", "records", "covered by one"} for line in table["missing"])
    assert {view.task for view in views.load(folder)} == {"embeddings", "texts"}
    privacy = json.loads((folder / "privacy.json").read_text())
    assert privacy["epsilon"] is None and privacy["events"][-1]["mechanism"]["kind"] == "NonPrivate"
    figures = {path.stem for path in (folder / "figures").glob("*.png")}
    assert figures == {"toy", "map", "missing", "lengths", "words", "labels", "positions"}

    shown = capsys.readouterr()
    assert "values are not defined: " in shown.out and MARK not in (shown.out + shown.err).lower()
    for path in folder.rglob("*"):
        assert not path.is_file() or MARK.encode() not in path.read_bytes().lower(), path.name

    (arms.stage("11_generate.one", "quick") / "params.yaml").write_text(f"encoder: hidden:{TINY}\n")
    with refused("evaluation.encoder_not_independent", name="encoder") as error:
        play(arms)
    assert "arm 'one'" in error.value.sentence


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("floor", "bas", "pipeline.floor_is_no_arm"),
        ("inputs", "{base: 11_generate.base}", "stage.no_corpus_input"),
        ("encoder", "bundled:all-minilm-l6-v2", "pipeline.one_encoder"),
        ("draws", "5", "stage.out_of_range"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_it_starts(name: str, value: str, code: str) -> None:
    with refused(code, name=name) as error:
        preflight.preflight("quick", "check", [f"21_fidelity.{name}={value}"])
    assert "21_fidelity" in error.value.where
