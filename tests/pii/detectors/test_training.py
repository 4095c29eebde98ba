"""A training learns what can be learned, the same from the same seed, and leaves the global random state as it was."""

import pytest
import torch
from support.errors import refused
from support.pii_sets import examples, tiny_encoder

from lib.pii.checking import sets, testing
from lib.pii.checking.scores import measured
from lib.pii.detectors.training import TokenClassifierSettings, train
from lib.pii.spans import Filled


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_encoder(tmp_path_factory.mktemp("encoder")))


def settings(steps: int, rate: float = 3e-3) -> TokenClassifierSettings:
    return TokenClassifierSettings(steps, 12, rate, 80, "cpu", "float32")


def strict(encoder: str, steps: int) -> float:
    """Strict F1 of a training on the texts that it learned from."""
    texts = [one.filled for one in examples(24)]
    learned = sets.labelled_set("toy", texts, ["a"] * len(texts), "doppel")
    detector = train(texts, encoder, settings(steps), seed=0)
    return measured([testing.own_outcomes(detector.find(learned.texts), learned)], "strict_f1", draws=1).value


def test_what_can_be_learned_is_learned(encoder: str) -> None:
    assert strict(encoder, 1) < 0.3 and strict(encoder, 120) > 0.8


def test_a_seed_gives_the_same_detector_and_the_random_state_stays(encoder: str) -> None:
    texts = [one.filled for one in examples(12)]
    before, told = torch.random.get_rng_state(), []
    first, again = (train(texts, encoder, settings(2), seed=5, progress=told.append) for _ in range(2))
    other = train(texts, encoder, settings(2), seed=6)
    assert torch.equal(torch.random.get_rng_state(), before) and told == [1] * 4
    weights = [detector.model.classifier.weight for detector in (first, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert not first.model.training


def test_word_vectors_stay_and_everything_else_learns(encoder: str) -> None:
    texts = [one.filled for one in examples(12)]
    before, after = (
        dict(train(texts, encoder, settings(1, rate), seed=0).model.named_parameters()) for rate in (1e-9, 1e-2)
    )
    same = {name for name in before if torch.allclose(before[name], after[name], atol=1e-6)}
    same = {name for name in same if not name.endswith("key.bias")}  # softmax does not see it: its gradient is zero
    assert same == {"bert.embeddings.word_embeddings.weight"}


def test_texts_without_a_span_teach_nothing(encoder: str) -> None:
    with refused("pii.nothing_to_learn", value=1):
        train([Filled("nothing here", ())], encoder, settings(1), seed=0)
