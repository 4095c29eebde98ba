"""The fine-tuned classifier: whole or its upper layers alone, whatever batches are cut into."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.utility_toys import matched, records
from transformers import BertConfig, BertModel, BertTokenizerFast

from lib.common.errors import DoppelError
from lib.evaluation.utility import transformer_classifier

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


def accuracy(encoder: Path, layers: int | None, *, steps: int = 30, seed: int = 1, dtype: str = "float32"):
    compared = matched(one=records(60, 3))
    codes, _ = compared.codes("mood")
    settings = transformer_classifier.Settings(steps, 16, 2e-3, 20, layers, device="cpu", dtype=dtype)
    fit = transformer_classifier.transformer(str(encoder), compared.texts, settings)
    rows, tests = compared.rows["one"], compared.rows["held-out"]
    said = [fit(rows, codes[rows], tests, number) for number in (seed, seed)]
    np.testing.assert_array_equal(*said)  # each training starts from the model as it was
    return np.mean(said[0] == codes[tests])


@pytest.mark.parametrize("layers", [None, 1, 3])
def test_it_learns_with_all_layers_and_with_the_upper_ones_alone(encoder: Path, layers: int | None):
    assert accuracy(encoder, layers) > 0.9


def test_it_learns_in_bfloat16(encoder: Path):
    assert accuracy(encoder, 2, dtype="bfloat16") > 0.9


def test_passes_of_a_batch_add_up_to_it(encoder: Path, monkeypatch: pytest.MonkeyPatch):
    compared = matched(one=records(60, 3, noise=0.5))
    codes, _ = compared.codes("mood")
    rows, tests, seen = compared.rows["one"], compared.rows["held-out"], []
    original = transformer_classifier._Classifier.forward
    for tokens in (10_000, 16):
        monkeypatch.setattr(transformer_classifier, "TOKENS_A_PASS", tokens)
        made = []
        monkeypatch.setattr(
            transformer_classifier._Classifier,
            "forward",
            lambda self, *args, made=made: made.append(original(self, *args)) or made[-1],
        )
        settings = transformer_classifier.Settings(3, 16, 1e-3, 20, 2, device="cpu", dtype="float32")
        transformer_classifier.transformer(str(encoder), compared.texts, settings)(rows, codes[rows], tests, 1)
        seen.append(torch.cat([one for one in made if not one.requires_grad]))
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-3, atol=1e-4)


def test_more_layers_than_there_are_and_models_that_cannot_be_taken_apart_are_refused(encoder: Path, monkeypatch):
    for layers in (0, 4):
        with pytest.raises(DoppelError, match=f"{layers} layers .* it has 3: choose 1 to 3"):
            accuracy(encoder, layers)
    monkeypatch.setattr(transformer_classifier.frozen, "split_encoder", lambda model, first: None)
    with pytest.raises(DoppelError, match="cannot be taken apart; let all of them learn"):
        accuracy(encoder, 2)
