"""A language model that learns to name a label, a classifier where one token tells the label's values apart."""

from dataclasses import replace

import numpy as np
from support.errors import refused
from support.utility_toys import matched, records

from lib.evaluation.comparison_sets import HELD_OUT
from lib.evaluation.estimate import Undefined
from lib.evaluation.utility import label_finetuning, lora_adaptation, tstr

STEPS = lora_adaptation.Adaptation(steps=2, batch=4, learning_rate=0.05)
INDISTINCT = ["bad", "beg", "good"]  # two begin with the same letter, which is a token of the model


def test_a_language_model_learns_to_name_the_label(model, tmp_path):
    compared = matched(arm=records(20, 3))
    fit = label_finetuning.language_model(
        compared.texts, "mood", ["bad", "good"], model, STEPS, max_tokens=40, folder=tmp_path
    )
    measured = tstr.transfer(compared, "mood", fit, seeds=3, draws=9, seed=0, reverse=False)
    assert set(measured) == {"accuracy", "macro_f1"} and 0 <= measured["accuracy"]["arm"].value <= 1


def test_what_all_values_begin_with_is_part_of_the_prompt(model):
    shared, rest = label_finetuning.answer_tokens(model.tokenizer, ["bad", "bold"])
    assert shared == model.tokenizer(" b", add_special_tokens=False).input_ids
    assert rest == [model.tokenizer(end, add_special_tokens=False).input_ids for end in ("ad", "old")]
    (prompt,) = label_finetuning.prompts(["fine"], "mood", ["bad", "bold"], model.tokenizer, 40)
    assert prompt[-len(shared) :] == shared


def test_values_that_one_token_cannot_tell_apart_are_undefined(model, tmp_path):
    with refused("evaluation.values_begin_alike", value=2):
        label_finetuning.answer_tokens(model.tokenizer, INDISTINCT)
    compared = matched(arm=records(20, 3))
    fit = label_finetuning.language_model(
        compared.texts, "mood", INDISTINCT, model, STEPS, max_tokens=40, folder=tmp_path
    )
    measured = tstr.transfer(compared, "mood", fit, seeds=3, draws=9, seed=0, reverse=False)
    assert isinstance(measured["accuracy"]["arm"], Undefined)


def test_an_untrained_model_answers_like_one_trained_at_rate_zero(model, tmp_path):
    compared = matched(arm=records(20, 3))
    measured = label_finetuning.untrained(compared, "mood", model, 40)
    codes, values = compared.codes("mood")
    still = lora_adaptation.Adaptation(steps=1, batch=4, learning_rate=0.0)  # a fresh adapter changes nothing
    fit = label_finetuning.language_model(compared.texts, "mood", values, model, still, max_tokens=40, folder=tmp_path)
    predicted = fit(compared.rows["arm"], codes[compared.rows["arm"]], compared.rows[HELD_OUT], 0)
    truth = codes[compared.rows[HELD_OUT]]
    assert measured == {"accuracy": np.mean(predicted == truth), "macro_f1": tstr.macro_f1(predicted, truth)}


def test_an_untrained_model_has_no_scores_where_one_token_cannot_tell_the_values_apart(model):
    compared = matched(arm=records(20, 3))
    labels = [{"mood": INDISTINCT[i % 3]} for i in range(len(compared.texts))]
    assert label_finetuning.untrained(replace(compared, labels=labels), "mood", model, 40) == {}
