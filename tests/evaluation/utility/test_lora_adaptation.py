"""Adapters trained one after the other: the base model stays as it was, with PEFT as with unsloth."""

import sys
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from support.errors import refused

from lib.evaluation.utility import lora_adaptation, next_token
from lib.models import loading


def test_an_adapter_learns_and_leaves_the_model_as_it_was(model, tmp_path):
    examples = next_token.as_examples(["great case"] * 8, model.tokenizer, 64)
    before = next_token.token_scores(model.base, examples)
    settings = lora_adaptation.Adaptation(steps=8, batch=4, learning_rate=0.05)
    trained = []
    for seed in (1, 1, 2):
        path = tmp_path / f"{len(trained)}.pt"
        with model.adapted(examples, settings, seed=seed, checkpoint=path) as net:
            trained.append(next_token.token_scores(net, examples)[0, 0])
    assert trained[0] < before[0, 0] and trained[0] == trained[1] != trained[2]
    np.testing.assert_array_equal(next_token.token_scores(model.base, examples), before)


def test_unsloth_is_refused_where_it_cannot_run():
    with refused("evaluation.unsloth_unavailable", name="backend", value="unsloth"):
        lora_adaptation.resolve_backend("unsloth", "cpu")
    assert lora_adaptation.resolve_backend("auto", "cpu") == "peft"


def test_a_mistyped_backend_is_refused():
    with refused("evaluation.unknown_backend", name="backend", value="pefd") as error:
        lora_adaptation.resolve_backend("pefd", "cpu")
    assert "peft" in error.value.remedy


class Unsloth:
    """Stands in for ``unsloth.FastLanguageModel``: loads a plain model and records its arguments."""

    calls: ClassVar[list[dict]] = []

    @classmethod
    def from_pretrained(cls, **options):
        cls.calls.append(options)
        return loading.load(options["model_name"], device="cpu", dtype="float32"), None

    @classmethod
    def get_peft_model(cls, model, *, random_state, **lora_settings):
        cls.calls.append({"random_state": random_state, **lora_settings})
        torch.manual_seed(random_state)
        return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **lora_settings))


def test_unsloth_is_imported_only_where_it_is_used_and_trains_by_the_same_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(lora_adaptation, "resolve_backend", lambda backend, device: "unsloth")
    lora = {"r": 2, "target_modules": ["q_proj", "v_proj"]}
    model = lora_adaptation.Adaptable("bundled:tiny-random", lora, backend="unsloth", device="cpu", max_tokens=96)
    assert "unsloth" not in sys.modules and model.cached is None and model.pad == 0
    monkeypatch.setitem(sys.modules, "unsloth", SimpleNamespace(FastLanguageModel=Unsloth))
    examples, scores = next_token.as_examples(["great case"] * 8, model.tokenizer, 64), []
    peft = lora_adaptation.Adaptable("bundled:tiny-random", lora, backend="peft", device="cpu", dtype="float32")
    peft.backend = "peft"
    peft.base = loading.load("bundled:tiny-random", device="cpu", dtype="float32")
    settings = lora_adaptation.Adaptation(steps=2, batch=4, learning_rate=0.05)
    for number, adaptable in enumerate((model, peft)):
        checkpoint = tmp_path / f"{number}.pt"
        with adaptable.adapted(examples, settings, seed=5, checkpoint=checkpoint) as net:
            scores.append(next_token.token_scores(net, examples, adaptable.pad))
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4)
    opened, adapted = Unsloth.calls
    assert not isinstance(model.plain(), PeftModel) and Unsloth.calls.pop() == opened
    assert opened["max_seq_length"] == 96 and opened["load_in_4bit"] is True
    assert adapted == {"random_state": 5, **lora}
