"""Language models that are adapted on a set: equal steps, the model left as it was, scores against other code."""

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from support.utility_toys import matched, records

from lib.common.errors import DoppelError
from lib.evaluation.comparison_sets import HELD_OUT
from lib.evaluation.estimate import Undefined
from lib.evaluation.utility import label_finetuning, lora_adaptation, next_token, tstr
from lib.evaluation.utility.transformer_classifier import batches
from lib.models import loading
from lib.models.losses import held_out_losses

STEPS = lora_adaptation.Adaptation(steps=2, batch=4, learning_rate=0.05)


@pytest.fixture(scope="module")
def model() -> lora_adaptation.Adaptable:
    return lora_adaptation.Adaptable(
        "bundled:tiny-random", {"r": 2, "target_modules": ["q_proj", "v_proj"]}, device="cpu"
    )


def test_losses_are_those_of_held_out_losses_and_guesses_those_of_a_loop(model):
    examples = next_token.as_examples(["great case", "it broke", "poor"], model.tokenizer, 64)
    scores = next_token.token_scores(model.base, examples)
    np.testing.assert_allclose(scores[:, [0, 2]], held_out_losses(model.base, examples), rtol=1e-4)
    for example, (_, right, tokens) in zip(examples, scores, strict=True):
        ids = torch.tensor([[*example.prompt, *example.completion]])
        guesses = model.base(input_ids=ids).logits[0, :-1].argmax(1)
        assert tokens == len(example.completion) and right == (guesses == ids[0, 1:]).sum()
    assert next_token.perplexity(scores) == pytest.approx(np.exp(scores[:, 0].sum() / scores[:, 2].sum()))


def test_an_adapter_learns_and_leaves_the_model_as_it_was(model, tmp_path):
    examples = next_token.as_examples(["great case"] * 8, model.tokenizer, 64)
    before = next_token.token_scores(model.base, examples)
    longer = lora_adaptation.Adaptation(steps=8, batch=4, learning_rate=0.05)
    trained = []
    for seed in (1, 1, 2):
        path = tmp_path / f"{len(trained)}.pt"
        with model.adapted(examples, longer, seed=seed, checkpoint=path) as net:
            trained.append(next_token.token_scores(net, examples)[0, 0])
    assert trained[0] < before[0, 0] and trained[0] == trained[1] != trained[2]
    np.testing.assert_array_equal(next_token.token_scores(model.base, examples), before)


def test_next_token_scores_every_set(model, tmp_path):
    compared = matched(one=records(20, 3))
    found = next_token.next_token(compared, model, STEPS, max_tokens=40, seeds=3, draws=9, seed=0, folder=tmp_path)
    assert set(found) == set(next_token.METRICS) and set(found["perplexity"]) == {"one", "real"}
    assert found["perplexity"]["one"].value > 1 and 0 <= found["token_accuracy"]["one"].value <= 1


def test_a_language_model_learns_to_say_the_label(model, tmp_path):
    compared = matched(one=records(20, 3))
    fit = label_finetuning.instructed(
        compared.texts, "mood", ["bad", "good"], model, STEPS, max_tokens=40, folder=tmp_path
    )
    found = tstr.transfer(compared, "mood", fit, seeds=3, draws=9, seed=0, reverse=False)
    assert set(found) == {"accuracy", "macro_f1"} and 0 <= found["accuracy"]["one"].value <= 1


def test_values_that_begin_alike_are_not_defined(model, tmp_path):
    assert label_finetuning.answers(model.tokenizer, ["bad", "bold"])[
        0
    ]  # what all begin with is moved into the question
    compared = matched(one=records(20, 3))
    alike = ["bad", "beg", "good"]
    with pytest.raises(DoppelError, match="one token cannot tell them apart"):
        label_finetuning.answers(model.tokenizer, alike)
    fit = label_finetuning.instructed(compared.texts, "mood", alike, model, STEPS, max_tokens=40, folder=tmp_path)
    found = tstr.transfer(compared, "mood", fit, seeds=3, draws=9, seed=0, reverse=False)
    assert isinstance(found["accuracy"]["one"], Undefined)


def test_unsloth_is_refused_where_it_cannot_run():
    with pytest.raises(DoppelError, match="'unsloth' needs a GPU"):
        lora_adaptation.resolve_backend("unsloth", "cpu")
    assert lora_adaptation.resolve_backend("auto", "cpu") == "peft"


def test_every_step_has_its_full_batch():
    made = batches(10, 4, 5, np.random.default_rng(0))
    assert [len(one) for one in made] == [4] * 5
    assert np.bincount(np.concatenate(made)).tolist() == [2] * 10


def test_an_untrained_model_is_scored_as_it_is(model):
    compared = matched(one=records(20, 3))
    examples = next_token.as_examples([compared.texts[i] for i in compared.rows[HELD_OUT]], model.tokenizer, 40)
    losses = held_out_losses(model.base, examples)
    found = next_token.untrained(compared, model, 40)
    assert found["perplexity"] == pytest.approx(np.exp(losses[:, 0].sum() / losses[:, 1].sum()), rel=1e-4)
    assert set(found) == set(next_token.METRICS)


def test_an_untrained_model_answers_as_one_of_no_steps_and_says_nothing_where_a_token_tells_no_label(model, tmp_path):
    compared = matched(one=records(20, 3))
    found = label_finetuning.untrained(compared, "mood", model, 40)
    codes, values = compared.codes("mood")
    still = lora_adaptation.Adaptation(steps=1, batch=4, learning_rate=0.0)  # a fresh adapter changes nothing
    fit = label_finetuning.instructed(compared.texts, "mood", values, model, still, max_tokens=40, folder=tmp_path)
    said = fit(compared.rows["one"], codes[compared.rows["one"]], compared.rows[HELD_OUT], 0)
    truth = codes[compared.rows[HELD_OUT]]
    assert found == {"accuracy": np.mean(said == truth), "macro_f1": tstr.SCORES["macro_f1"](said, truth)}
    alike = [{"mood": ("bad", "beg", "good")[i % 3]} for i in range(len(compared.texts))]
    assert label_finetuning.untrained(replace(compared, labels=alike), "mood", model, 40) == {}


class Unsloth:
    """Stands for ``unsloth.FastLanguageModel``: a plain model, and what it was asked for."""

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


def test_unsloth_is_imported_where_it_is_used_and_trains_by_the_same_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(lora_adaptation, "resolve_backend", lambda backend, device: "unsloth")
    settings = {"r": 2, "target_modules": ["q_proj", "v_proj"]}
    model = lora_adaptation.Adaptable("bundled:tiny-random", settings, backend="unsloth", device="cpu", max_tokens=96)
    assert "unsloth" not in sys.modules and model.remembered is None and model.pad == 0
    monkeypatch.setitem(sys.modules, "unsloth", SimpleNamespace(FastLanguageModel=Unsloth))
    examples, scores = next_token.as_examples(["great case"] * 8, model.tokenizer, 64), []
    plain = lora_adaptation.Adaptable("bundled:tiny-random", settings, backend="peft", device="cpu", dtype="float32")
    plain.backend = "peft"
    plain.base = loading.load("bundled:tiny-random", device="cpu", dtype="float32")
    for number, one in enumerate((model, plain)):
        with one.adapted(examples, STEPS, seed=5, checkpoint=tmp_path / f"{number}.pt") as net:
            scores.append(next_token.token_scores(net, examples, one.pad))
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4)
    opened, adapted = Unsloth.calls
    assert not isinstance(model.plain(), PeftModel) and Unsloth.calls.pop() == opened
    assert opened["max_seq_length"] == 96 and opened["load_in_4bit"] is True
    assert adapted == {"random_state": 5, **settings}
