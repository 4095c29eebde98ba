"""Texts that are written again are those that the arm wrote, where the model is the same."""

from pathlib import Path

import numpy as np

from lib.common.files import write_json
from lib.data import labels
from lib.generation import generate
from lib.methods.prompting import written_again
from lib.models.prompt import Prompt

GIVEN = {
    "seed": 3, "temperature": 1.0, "top_p": 1.0, "max_new_tokens": 60, "one_line": False, "guidance": 0.5,
    "prompt_without_label": None, "max_attempts": 5,
}  # fmt: skip
HISTOGRAM = {"cells": [{"mood": "good"}, {"mood": "bad"}], "noisy_counts": [3, 1]}


def test_the_same_model_writes_the_same_texts_again(tmp_path: Path) -> None:
    write_json(tmp_path / "label_histogram.json", HISTOGRAM)
    write_json(tmp_path / "catalogue.json", [])
    engine = generate.open_engine("bundled:tiny-random", engine="transformers", device="cpu", dtype="float32")
    template, counted = Prompt("A {mood} text:"), []
    again = written_again.texts(engine, template, GIVEN, tmp_path, 6, counted.append)
    wanted = labels.draw(HISTOGRAM, [], 6, np.random.default_rng(3))
    made, _ = generate.generate_records(
        engine, template, wanted, generate.Sampling.of(GIVEN), without_label=template.unlabelled(None)
    )
    assert again == [record.text.reveal() for record in made] and sum(counted) == len(again) > 0
