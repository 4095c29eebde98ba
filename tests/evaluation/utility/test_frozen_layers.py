"""Frozen lower layers that run once for each text: the same numbers as from the whole model, for less work."""

import copy

import numpy as np
import torch
from support.errors import refused
from transformers import AutoModel, AutoModelForCausalLM, BertConfig, GPT2Config, GraniteConfig, PreTrainedModel

from lib.evaluation.utility import frozen_layers, label_finetuning, lora_adaptation, next_token
from lib.models import loading
from lib.models.examples import Example

TINY = "bundled:tiny-random"
UPPER = {"r": 2, "target_modules": ["q_proj", "v_proj"], "layers_to_transform": [1]}
TEXTS = ["great case", "it broke", "poor", "a cable, and a longer one than the others are", "!", ""]


def whole_model() -> PreTrainedModel:
    return loading.load(TINY, dtype="float32", device="cpu")


def test_a_split_model_scores_like_the_whole_one_and_reads_each_text_once():
    whole, split = whole_model(), whole_model()
    cache = frozen_layers.split_decoder(split, 1)
    assert cache is not None and len(split.model.layers) == 1
    examples = next_token.as_examples(TEXTS, loading.load_tokenizer(TINY), 64)
    expected = next_token.token_scores(whole, examples)
    np.testing.assert_allclose(next_token.token_scores(split, examples, frozen_layers.PAD), expected, rtol=1e-4)
    assert cache.computed == 1 + len(TEXTS)  # the probe, and each text
    again = next_token.token_scores(split, examples[::-1], frozen_layers.PAD)
    np.testing.assert_allclose(again, expected[::-1], rtol=1e-4)
    assert cache.computed == 1 + len(TEXTS)


def test_training_above_frozen_layers_equals_training_in_the_whole_model(tmp_path, monkeypatch):
    examples = next_token.as_examples(TEXTS * 2, loading.load_tokenizer(TINY), 64)
    examples = [Example(example.prompt, example.completion, unit) for unit, example in enumerate(examples)]
    steps, scores = lora_adaptation.Adaptation(steps=6, batch=6, learning_rate=0.05), []
    for number, split in enumerate((True, False)):
        monkeypatch.setattr(lora_adaptation, "SPLITTABLE", lora_adaptation.SPLITTABLE if split else set())
        model = lora_adaptation.Adaptable(TINY, UPPER, dtype="float32", device="cpu")
        assert (model.cached is not None) == split
        with model.adapted(examples, steps, seed=3, checkpoint=tmp_path / f"{number}.pt") as net:
            scores.append(next_token.token_scores(net, examples, model.pad))
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-3)
    base = next_token.token_scores(whole_model(), examples)
    nats = [(nats / tokens).mean() for nats, _, tokens in (scores[0].T, base.T)]
    assert nats[0] < nats[1] - 0.1  # it learned


def test_texts_beyond_the_size_of_the_cache_are_computed_again(monkeypatch):
    model = whole_model()
    monkeypatch.setattr(frozen_layers, "MAX_BYTES", 4 * 64 * 3)  # three tokens
    cache = frozen_layers.CachedLayers(lambda ids, mask: model.get_input_embeddings()(ids))
    ids = torch.tensor([[5, 6, 7], [8, 9, frozen_layers.PAD]])
    first = cache(ids)
    torch.testing.assert_close(cache(ids), first)
    assert cache.computed == 3  # the first row was kept, the second not
    assert first[1, 2].abs().sum() == 0


def test_a_model_that_is_not_embedding_layers_and_norm_stays_whole():
    """Granite scales its embeddings and GPT-2 adds positions to them: neither may be split there."""
    sizes = {"vocab_size": 30, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
    granite = GraniteConfig(**sizes, intermediate_size=32, num_key_value_heads=1, embedding_multiplier=12.0)
    for config in (granite, GPT2Config(**sizes, bos_token_id=1, eos_token_id=1)):
        model = AutoModelForCausalLM.from_config(config).eval()
        modules, ids = dict(model.named_modules()), torch.arange(9)[None]
        before = model(ids).logits
        assert frozen_layers.split_decoder(model, 1) is None
        assert dict(model.named_modules()) == modules
        torch.testing.assert_close(model(ids).logits, before)


def test_a_decoder_is_not_split_below_its_first_or_above_its_last_layer():
    model = whole_model()
    assert frozen_layers.split_decoder(model, 0) is None and frozen_layers.split_decoder(model, 2) is None


def test_vectors_are_mean_states_below_the_trained_layers_and_each_text_is_read_once():
    model = lora_adaptation.Adaptable(TINY, UPPER, dtype="float32", device="cpu")
    examples = next_token.as_examples(TEXTS, model.tokenizer, 24)  # one text is cut
    asked = label_finetuning.prompts(TEXTS, "mood", ["bad", "good"], model.tokenizer, 24)
    vectors = model.vectors(examples, asked)
    for example, vector in zip(examples, vectors, strict=True):
        ids = torch.tensor([[*example.prompt, *example.completion][:-1]])
        states = whole_model()(ids, output_hidden_states=True).hidden_states[1][0].detach()
        np.testing.assert_allclose(vector, states[1:].mean(0) if len(states) > 1 else states[0], rtol=1e-4, atol=1e-5)
    read = model.cached.computed
    scores = next_token.token_scores(model.base, examples, model.pad)
    np.testing.assert_allclose(scores, next_token.token_scores(whole_model(), examples), rtol=1e-4)
    label_finetuning._answers(model.base, asked, torch.tensor([5, 6]), model.pad)
    assert model.cached.computed == read == len(TEXTS) + 1
    with refused("evaluation.no_frozen_layers", name="lora") as error:
        lora_adaptation.Adaptable(TINY, {"r": 2, "target_modules": ["q_proj"]}, device="cpu").vectors(examples)
    assert "layers_to_transform" in error.value.remedy


def test_a_training_on_labels_of_several_tokens_reads_no_text_again(tmp_path):
    model, values = lora_adaptation.Adaptable(TINY, UPPER, dtype="float32", device="cpu"), ["bad review", "good plot"]
    asked = label_finetuning.prompts(TEXTS, "mood", values, model.tokenizer, 24)
    model.vectors(next_token.as_examples(TEXTS, model.tokenizer, 24), asked)
    read, steps = model.cached.computed, lora_adaptation.Adaptation(steps=2, batch=2, learning_rate=0.05)
    fit = label_finetuning.language_model(TEXTS, "mood", values, model, steps, max_tokens=24, folder=tmp_path)
    rows = np.arange(len(TEXTS))
    assert set(fit(rows, rows % 2, rows, 0)) <= {0, 1}
    assert model.cached.computed == read


def test_a_split_encoder_gives_the_states_of_the_whole_one():
    config = BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, pad_token_id=0
    )
    whole = AutoModel.from_config(config).eval()
    split = copy.deepcopy(whole)
    cache = frozen_layers.split_encoder(split, 2)
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, frozen_layers.PAD, frozen_layers.PAD]])
    mask = (ids != frozen_layers.PAD).long()
    expected = whole(input_ids=ids.clamp(min=0), attention_mask=mask).last_hidden_state
    for model in (split, copy.deepcopy(split)):  # the copy shares the cache
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state
        torch.testing.assert_close(states[mask > 0], expected[mask > 0])
    assert cache.computed == 3 and len(split.encoder.layer) == 1  # a probe and two texts
    assert frozen_layers.split_encoder(whole, 3) is None


def test_layers_of_several_kinds_are_not_split():
    model = whole_model()
    model.config.layer_types = ["full_attention", "sliding_attention"]
    assert frozen_layers.split_decoder(model, 1) is None
