"""What pre-flight refuses of weights in four bits, and of weights that are split."""

import json
from pathlib import Path

import pytest
from support.errors import refused

from lib.methods.dp_lora.weight_checks import check_weights

GIVEN = {
    "device": "auto", "dtype": "bfloat16", "processes": 2, "split_weights": True, "lora": {"r": 4},
    "model": "bundled:smollm2-135m-instruct",
}  # fmt: skip


def test_weights_of_a_llama_may_be_split_over_processes() -> None:
    check_weights(GIVEN)
    check_weights(GIVEN | {"lora": {"init_lora_weights": "gaussian", "use_dora": False}})
    check_weights(GIVEN | {"split_weights": False, "processes": 1})
    check_weights(GIVEN | {"model": "hub:somebody/not-here-yet"})  # told when it is loaded


@pytest.mark.parametrize(
    ("changes", "code", "name"),
    [
        ({"processes": 1}, "methods.split_in_one_process", "split_weights"),
        ({"lora": {"use_dora": True}}, "methods.split_lora_setting", "lora"),
        ({"lora": {"modules_to_save": ["lm_head"]}}, "methods.split_lora_setting", "lora"),
        ({"lora": {"init_lora_weights": "pissa"}}, "methods.split_lora_setting", "lora"),
    ],
)
def test_what_cannot_be_split_is_refused(changes: dict, code: str, name: str) -> None:
    with refused(code, name=name):
        check_weights(GIVEN | changes)


def test_weights_in_four_bits_are_not_split(monkeypatch: pytest.MonkeyPatch) -> None:
    with refused("models.four_bits_on_cpu", name="dtype"):
        check_weights(GIVEN | {"dtype": "4bit", "device": "cpu"})
    monkeypatch.setattr("lib.models.pretrained.check_four_bits", lambda device: None)  # as on a card
    with refused("methods.split_four_bits", name="dtype", value="4bit"):
        check_weights(GIVEN | {"dtype": "4bit"})


def test_a_model_of_another_kind_is_not_split(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with refused("models.not_split", name="model"):
        check_weights(GIVEN | {"model": str(tmp_path)})
    check_weights(GIVEN | {"model": str(tmp_path), "split_weights": False})
