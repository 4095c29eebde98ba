"""22_utility at a dozen records, with and without language models that are adapted on the sets."""

import json

import pytest
from support.project import Project

TINY = "bundled:tiny-random"
CORPUS, FLOOR, ARM = "00_process_data", "11_generate.base", "11_generate.varied"
WORDS = ("sound", "battery", "camera", "screen", "menu", "photo", "cable")


@pytest.fixture
def arms(house: Project) -> Project:
    """A corpus of two moods, and two arms of twelve texts."""
    texts = [f"the {word} of number {number}" for number in range(24) for word in WORDS]
    rows = [f"{text} is {('good', 'bad')[i % 2]},{('positive', 'negative')[i % 2]}" for i, text in enumerate(texts)]
    (house.root / "private.csv").write_text("\n".join(["Review,Mood", *rows]))
    source, columns = f"csv:{house.root / 'private.csv'}", {"text": "Review", "labels.sentiment": "Mood"}
    house.play(CORPUS, source=source, columns=columns, privacy_seed=1, tracking="off")
    tiny = {"base_model": TINY, "prompt": "{sentiment}:", "chat": False, "guidance": 0.0, "engine": "transformers"}
    small = {"samples": 12, "max_new_tokens": 20, "device": "cpu", "tracking": "off", "inputs": {"corpus": CORPUS}}
    for number, stage in enumerate((FLOOR, ARM)):
        house.play("11_generate", stage=stage, seed=number, **tiny, **small)
    return house


def tasks(project: Project, language_records: int | None) -> tuple[set[str], set[str]]:
    """The tasks that rows are of, and those that an untrained model was asked."""
    small = {"evaluate_records": 12, "draws": 12, "classic_seeds": 3, "importance_repeats": 2, "rating_items": 0}
    tiny = {"model": TINY, "lora": {"r": 2, "target_modules": ["q_proj"], "layers_to_transform": [1]}}
    steps = {"finetune_steps": 1, "finetune_batch": 4, "next_token_steps": 1, "instruct_steps": 1, "lora_batch": 4}
    inputs = {"corpus": CORPUS, "base": FLOOR, "varied": ARM}
    given = {"language_records": language_records, "device": "cpu", "tracking": "off", "inputs": inputs}
    folder = project.play("22_utility", **small, **tiny, **steps, **given)["stage"].folder
    found = json.loads((folder / "utility.json").read_text())
    return {row["task"] for row in found["rows"]}, set(found["untrained"])


def test_language_models_can_be_left_out(arms: Project) -> None:
    classified = {f"sentiment by {kind}" for kind in ("TF-IDF", "embeddings", "transformer")} | {"sentiment, words"}
    adapted = {"next token", "sentiment by language model"}
    assert tasks(arms, 9) == (classified | adapted, adapted)
    assert tasks(arms, None) == (classified, set())
