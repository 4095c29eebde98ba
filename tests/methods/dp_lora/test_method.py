"""The entry of DP-LoRA: its mechanism is the one that the trainer runs, and pre-flight refuses what cannot train."""

import importlib.util

import pytest
from support.errors import refused
from support.lora_toys import examples, tiny

from lib.methods.dp_lora import method
from lib.methods.dp_lora.method import (
    METHOD,
    check_labels_to_contrast,
    check_lora,
    check_training,
    check_warm_arm,
    recipe,
    sampling_probability,
)
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.privacy.accounting import Gaussian

TRAINING = {
    "device": "auto",
    "dtype": "auto",
    "split_weights": False,
    "inputs": {"corpus": "00_process_data"},
    "steps": 7,
    "warmup_steps": 6,
    "expected_batch": 3,
    "average_from": None,
    "warm_source": None,
    "warm_columns": None,
    "warm_steps": 0,
    "lora": {"r": 8, "target_modules": "all-linear"},
}


def test_the_recipe_is_what_the_trainer_runs(tmp_path) -> None:
    mechanism = recipe(TRAINING, 12, 0.8)
    assert mechanism == Gaussian(0.8, 0.25, 7)
    trainer = Trainer(tiny(), examples(), Settings(0.8, steps=7, expected_batch=3), tmp_path / "checkpoint.pt")
    assert trainer.probability == mechanism.sampling_probability
    assert trainer.optimizer.noise_multiplier == mechanism.noise_multiplier
    assert len(trainer.run().batch_sizes) == mechanism.count


@pytest.mark.parametrize("expected_batch", [0.0, -1.0, 12.5, float("nan")])
def test_a_batch_that_no_poisson_sample_has_is_refused(expected_batch: float) -> None:
    assert sampling_probability(12, 12.0) == 1.0
    with refused("methods.expected_batch", name="expected_batch"):
        sampling_probability(12, expected_batch)
    with refused("methods.expected_batch", name="expected_batch"):
        recipe(TRAINING | {"expected_batch": expected_batch}, 12, 1.0)


def test_pre_flight_refuses_what_cannot_train() -> None:
    check_training(TRAINING)
    with refused("methods.warmup_too_long", name="warmup_steps", value=7):
        check_training(TRAINING | {"warmup_steps": 7})
    check_training(TRAINING | {"average_from": 7})
    with refused("methods.average_from_too_late", name="average_from", value=8):
        check_training(TRAINING | {"average_from": 8})
    warm = {"inputs": {**TRAINING["inputs"], "warm": "11_generate.base"}}
    check_training(TRAINING | warm | {"warm_steps": 3})
    declared = {"warm_source": "public:amazon-snippets"}
    check_training(TRAINING | declared | {"warm_steps": 3})
    for half in (warm, {"warm_steps": 3}, declared, warm | declared | {"warm_steps": 3}):
        with refused("methods.warm_start_incomplete", name="warm_steps"):
            check_training(TRAINING | half)
    with refused("methods.warm_columns_without_source", name="warm_columns"):
        check_training(TRAINING | {"warm_columns": {"text": "Tweet"}})
    with refused("stage.input_of_another_notebook", name="warm"):
        check_training(TRAINING | {"inputs": warm["inputs"] | {"warm": "12_aug_pe.eps8"}, "warm_steps": 3})
    with refused("stage.no_corpus_input"):
        check_training(TRAINING | {"inputs": {}})
    with refused("methods.unknown_lora_setting", name="lora", value="lora_alfa") as error:
        check_training(TRAINING | {"lora": {"r": 8, "lora_alfa": 8}})
    assert error.value.remedy == "did you mean lora_alpha?"


def test_an_arm_that_will_see_private_records_is_no_warm_start() -> None:
    training = {"inputs": {"corpus": "00_process_data", "warm": "11_generate.base"}}
    corpus = {"corpus": "00_process_data"}
    check_warm_arm(training, {"warm": {"inputs": corpus}})
    check_warm_arm({"inputs": corpus}, {"corpus": {}})
    with refused("methods.warm_start_saw_records", name="warm", value="11_generate.base"):
        check_warm_arm(training, {"warm": {"inputs": corpus | {"model": "10_finetune_dp_lora"}}})
    with refused("methods.warm_start_of_another_corpus", name="warm"):
        check_warm_arm(training, {"warm": {"inputs": {"corpus": "00_process_data.b"}}})


def test_guidance_of_a_tuned_model_needs_a_label_in_the_prompt_of_its_training() -> None:
    guided = {"guidance": 1.0, "prompt_without_label": None}
    with refused("models.prompt_without_labels"):
        METHOD.input_checks["11_generate"](guided, {"corpus": {}, "model": {"prompt": "Write one note."}})
    with refused("models.prompt_not_unlabelled"):
        METHOD.input_checks["11_generate"](guided, {"corpus": {}, "model": {"prompt": "{mood}:"}})
    for parameters, prompt in ((guided, "Write one {mood} note."), (guided | {"guidance": 0.0}, "Write one note.")):
        METHOD.input_checks["11_generate"](parameters, {"corpus": {}, "model": {"prompt": prompt}})
    METHOD.input_checks["11_generate"](guided, {"corpus": {}})  # the floor's own prompt is checked elsewhere


def test_contrast_needs_a_prompt_that_differs_from_label_to_label() -> None:
    training, corpus = TRAINING | {"prompt": "A {mood} note:", "contrast": 1.0}, {"label_domain": {"mood": ["a", "b"]}}
    check_labels_to_contrast(training, corpus)
    check_labels_to_contrast(training | {"prompt": "A note:", "contrast": 0.0}, corpus)
    for refused_training, refused_corpus in (
        (training | {"prompt": "A note:"}, corpus),
        (training, {"label_domain": {"mood": ["a"]}}),
    ):
        with refused("methods.contrast_without_labels", name="contrast", value=1.0):
            check_labels_to_contrast(refused_training, refused_corpus)


def test_settings_of_lora_are_those_of_peft_and_peft_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    check_lora({"r": 8, "lora_alpha": 16, "lora_dropout": 0.1, "task_type": "CAUSAL_LM", "base_model_name_or_path": ""})
    method._lora_keys.cache_clear()
    monkeypatch.setattr(method, "find_spec", lambda name: None)
    with refused("methods.no_peft", name="peft"):
        check_lora({"r": 8})
    monkeypatch.setattr(method, "find_spec", importlib.util.find_spec)
    check_lora({"r": 8})


def test_a_card_says_how_the_gradients_were_clipped_and_the_text_written() -> None:
    spending = {"model": "hub:a/b", "steps": 7, "max_grad_norm": 1.0, "prompt": "A text:"}
    first, second = METHOD.making({"temperature": 0.7}, spending, "user")
    assert "`hub:a/b`" in first and "each user was clipped to norm 1" in first and "temperature 0.7" in first
    assert "A text:" in second
    _, warm, _ = METHOD.making({"temperature": 0.7}, spending | {"warm_steps": 5}, "user")
    assert "5 steps" in warm and "never saw a private record" in warm
    start = {"warm_steps": 5, "warm_source": "public:csv"}
    _, warm, _ = METHOD.making({"temperature": 0.7}, spending | start, "user")
    assert "5 steps" in warm and "`public:csv`" in warm and "not counted in epsilon" in warm
