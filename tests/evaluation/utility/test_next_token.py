"""Next-token scores, against the losses of another function and a plain loop."""

import numpy as np
import pytest
import torch
from support.utility_toys import matched, records

from lib.evaluation import registry
from lib.evaluation.comparison_sets import HELD_OUT
from lib.evaluation.utility import lora_adaptation, next_token
from lib.models.losses import held_out_losses


def test_losses_equal_held_out_losses_and_first_guesses_those_of_a_loop(model):
    examples = next_token.as_examples(["great case", "it broke", "poor"], model.tokenizer, 64)
    scores = next_token.token_scores(model.base, examples)
    np.testing.assert_allclose(scores[:, [0, 2]], held_out_losses(model.base, examples), rtol=1e-4)
    for example, (_, right, tokens) in zip(examples, scores, strict=True):
        ids = torch.tensor([[*example.prompt, *example.completion]])
        guesses = model.base(input_ids=ids).logits[0, :-1].argmax(1)
        assert tokens == len(example.completion) and right == (guesses == ids[0, 1:]).sum()
    assert next_token.perplexity(scores) == pytest.approx(np.exp(scores[:, 0].sum() / scores[:, 2].sum()))


def test_every_set_is_scored(model, tmp_path):
    compared = matched(arm=records(20, 3))
    settings = lora_adaptation.Adaptation(steps=2, batch=4, learning_rate=0.05)
    measured = next_token.next_token(
        compared, model, settings, max_tokens=40, seeds=3, draws=9, seed=0, folder=tmp_path
    )
    assert set(measured) == set(registry.directions("next_token")) and set(measured["perplexity"]) == {"arm", "real"}
    assert measured["perplexity"]["arm"].value > 1 and 0 <= measured["token_accuracy"]["arm"].value <= 1


def test_an_untrained_model_is_scored_without_an_adapter(model):
    compared = matched(arm=records(20, 3))
    examples = next_token.as_examples([compared.texts[i] for i in compared.rows[HELD_OUT]], model.tokenizer, 40)
    losses = held_out_losses(model.base, examples)
    measured = next_token.untrained(compared, model, 40)
    assert measured["perplexity"] == pytest.approx(np.exp(losses[:, 0].sum() / losses[:, 1].sum()), rel=1e-4)
    assert set(measured) == set(registry.directions("next_token"))
