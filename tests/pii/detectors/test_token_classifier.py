"""A detector reads any length of text and each token once; its tags are the best ones that can be; it loads again."""

from itertools import pairwise, product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.errors import refused
from support.pii_sets import examples, tiny_encoder
from torch import nn

from lib.pii.alignment import align
from lib.pii.detectors.token_classifier import OVERLAP, TokenClassifier, starts
from lib.pii.detectors.training import TokenClassifierSettings, train
from lib.pii.spans import Filled

SETTINGS = TokenClassifierSettings(1, 4, 1e-3, 80, "cpu", "float32")
TAGS = ("O", "B-CITY", "I-CITY", "B-PIN", "I-PIN")


class ByToken(nn.Module):
    """Scores that a token's id alone decides, and that count how often a token is read."""

    def __init__(self, vocabulary: int, tags: tuple[str, ...] = TAGS):
        super().__init__()
        self.config = SimpleNamespace(id2label=dict(enumerate(tags)), num_labels=len(tags), max_position_embeddings=128)
        self.device = torch.device("cpu")
        self.table = torch.randn(vocabulary, len(tags), generator=torch.Generator().manual_seed(0))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        assert input_ids.shape[1] <= 80 and (attention_mask.sum(1) > 2).all()
        return SimpleNamespace(logits=self.table[input_ids])


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def trained(encoder: Path) -> TokenClassifier:
    return train([one.filled for one in examples(12)], str(encoder), SETTINGS, seed=0)


@pytest.fixture
def by_token(trained: TokenClassifier) -> TokenClassifier:
    return TokenClassifier(ByToken(len(trained.tokenizer)), trained.tokenizer, 80)


@pytest.mark.parametrize("words", [0, 1, 77, 78, 79, 125, 126, 400])
def test_a_long_text_is_read_in_windows_each_token_once(by_token: TokenClassifier, words: int) -> None:
    text = " ".join(f"word{number % 7}" if number % 3 else "." for number in range(words))
    ids = align(Filled(text, ()), by_token.tokenizer).ids
    scores = by_token.model.table[list(ids)].log_softmax(-1).numpy() if ids else np.zeros((0, len(TAGS)))
    seen = []
    original, by_token._tags = by_token._tags, lambda rows: seen.append(rows) or original(rows)
    by_token.find([text])
    assert seen[0] == pytest.approx(scores, abs=1e-5) and len(seen[0]) == len(ids)


def test_windows_cover_all_and_share_what_they_should() -> None:
    for tokens, window in product(range(1, 300), (64, 78, 100)):
        places = list(starts(tokens, window))
        assert places[0] == 0 and places[-1] + window >= tokens
        assert all(later - earlier == window - OVERLAP for earlier, later in pairwise(places))
        assert all(place + OVERLAP < tokens for place in places[1:])
    assert list(starts(0, 64)) == []


def test_tags_are_the_best_of_all_that_can_be(by_token: TokenClassifier) -> None:
    rng = np.random.default_rng(0)
    can_be = [
        [place for place, tag in enumerate(TAGS) if tag[0] != "I" or (before and before[1:] == tag[1:])]
        for before in ("", *TAGS)
    ]
    for _ in range(30):
        scores = rng.normal(size=(4, len(TAGS)))
        paths = [
            path
            for path in product(range(len(TAGS)), repeat=4)
            if all(tag in can_be[0 if place == 0 else path[place - 1] + 1] for place, tag in enumerate(path))
        ]
        best = max(paths, key=lambda path: sum(scores[place, tag] for place, tag in enumerate(path)))
        assert by_token._tags(scores) == [TAGS[tag] for tag in best]
    assert by_token._tags(np.zeros((0, len(TAGS)))) == []


def test_what_is_found_in_a_text_depends_on_it_alone(trained: TokenClassifier) -> None:
    texts = [one.filled.text for one in examples(12, seed=1)] + ["", "x", "long " * 300, "🙂 \ud800 é", "a\r\n\tb"]
    together = trained.find(texts)
    assert [trained.find([text])[0] for text in texts] == together and trained.find([]) == []
    for text, spans in zip(texts, together, strict=True):
        plain = text.replace("\ud800", "\ufffd")
        done = 0
        for span in spans:
            assert done <= span.start < span.end and plain[span.start : span.end] == span.value
            done = span.end


def test_a_detector_loads_again_and_finds_the_same(trained: TokenClassifier, tmp_path: Path) -> None:
    texts = [one.filled.text for one in examples(12, seed=2)]
    trained.save(tmp_path / "detector")
    again = TokenClassifier.load(tmp_path / "detector", device="cpu")
    assert again.find(texts) == trained.find(texts)
    assert (again.tags, again.max_tokens, again.scheme) == (trained.tags, 80, "doppel")
    with refused("pii.no_detector", name="detector"):
        TokenClassifier.load(tmp_path)


def test_a_model_that_tags_nothing_and_windows_that_do_not_fit_are_refused(trained: TokenClassifier) -> None:
    with refused("pii.detector_tags"):
        TokenClassifier(ByToken(9, ("LABEL_0", "LABEL_1")), trained.tokenizer, 80)
    for tokens in (60, 129):
        with refused("pii.detector_window", value=tokens):
            TokenClassifier(ByToken(9), trained.tokenizer, tokens)
