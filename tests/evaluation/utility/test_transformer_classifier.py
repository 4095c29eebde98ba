"""The fine-tuned classifier: all layers or the upper ones alone, whatever passes its batches are cut into."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.errors import refused
from support.utility_toys import matched, records
from transformers import BertConfig, BertModel, BertTokenizerFast

from lib.evaluation.utility import frozen_layers, transformer_classifier

WORDS = ["great", "love", "fine", "bad", "broke", "poor", "case", "cable", "phone", "sound", "menu"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of three small layers that knows the words of the texts here."""
    folder = tmp_path_factory.mktemp("encoder")
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])}
    BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
    sizes |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes)).save_pretrained(folder)
    return folder


def accuracy(encoder: Path, layers: int | None, *, steps: int = 30, seed: int = 1, dtype: str = "float32") -> float:
    compared = matched(arm=records(60, 3))
    codes, _ = compared.codes("mood")
    settings = transformer_classifier.ClassifierSettings(steps, 16, 2e-3, 20, layers, device="cpu", dtype=dtype)
    fit = transformer_classifier.transformer(str(encoder), compared.texts, settings)
    rows, tests = compared.rows["arm"], compared.rows["held-out"]
    first, again = (fit(rows, codes[rows], tests, seed) for _ in range(2))
    np.testing.assert_array_equal(first, again)  # each training starts from the pretrained model
    return np.mean(first == codes[tests])


@pytest.mark.parametrize("layers", [None, 1, 3])
def test_it_learns_with_all_layers_and_with_the_upper_ones_alone(encoder: Path, layers: int | None):
    assert accuracy(encoder, layers) > 0.9


def test_it_learns_in_bfloat16(encoder: Path):
    assert accuracy(encoder, 2, dtype="bfloat16") > 0.9


def test_passes_of_a_batch_add_up_to_it(encoder: Path, monkeypatch: pytest.MonkeyPatch):
    compared = matched(arm=records(60, 3, noise=0.5))
    codes, _ = compared.codes("mood")
    rows, tests, seen = compared.rows["arm"], compared.rows["held-out"], []
    original = transformer_classifier._Classifier.forward
    for tokens in (10_000, 16):
        monkeypatch.setattr(transformer_classifier, "TOKENS_A_PASS", tokens)
        outputs = []
        monkeypatch.setattr(
            transformer_classifier._Classifier,
            "forward",
            lambda self, *args, outputs=outputs: outputs.append(original(self, *args)) or outputs[-1],
        )
        settings = transformer_classifier.ClassifierSettings(3, 16, 1e-3, 20, 2, device="cpu", dtype="float32")
        transformer_classifier.transformer(str(encoder), compared.texts, settings)(rows, codes[rows], tests, 1)
        seen.append(torch.cat([logits for logits in outputs if not logits.requires_grad]))
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-3, atol=1e-4)


def test_more_layers_than_there_are_and_models_that_cannot_be_split_are_refused(encoder: Path, monkeypatch):
    for layers in (0, 4):
        with refused("evaluation.layers_out_of_range", name="layers", value=layers) as error:
            accuracy(encoder, layers)
        assert "1 to 3" in error.value.remedy
    monkeypatch.setattr(frozen_layers, "split_encoder", lambda model, first: None)
    with refused("evaluation.layers_not_separable", name="layers", value=2):
        accuracy(encoder, 2)


def test_every_step_has_a_full_batch():
    steps = transformer_classifier.batches(10, 4, 5, np.random.default_rng(0))
    assert [len(batch) for batch in steps] == [4] * 5
    assert np.bincount(np.concatenate(steps)).tolist() == [2] * 10


def test_an_unknown_classifier_is_refused_with_the_closest_known_one():
    name = "bundled:all-minilm-l6-v1"
    with refused("evaluation.unknown_classifier", name="classifier", value=name) as error:
        transformer_classifier.locate(name)
    assert "bundled:all-minilm-l6-v2" in error.value.remedy
    assert transformer_classifier.locate("hub:roberta-base") == "roberta-base"
