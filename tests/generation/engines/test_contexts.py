"""Contexts: logits against texts that are read alone, with a shared beginning and without."""

import pytest
import torch

from lib.generation.engines.contexts import Contexts
from lib.models import loading

TINY = "bundled:tiny-random"
PROMPTS = ([5, 6, 7], [8], [5, 6, 7], [9, 10, 11, 12, 13])


@pytest.fixture(scope="module")
def model():
    return loading.load(TINY, device="cpu", dtype="float32")


def alone(model, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0, -1]


@pytest.mark.parametrize("shared", [[], [3], [20, 21, 22, 23]])
@torch.inference_mode()
def test_texts_side_by_side_are_read_as_if_alone(model, shared):
    contexts = Contexts(model, PROMPTS, 0, shared)
    for row, prompt in enumerate(PROMPTS):
        torch.testing.assert_close(contexts.logits[row], alone(model, [*shared, *prompt]), atol=1e-4, rtol=1e-4)
    contexts.extend(torch.tensor([30, 31]), [1, 3])
    for row, prompt in enumerate(([8, 30], [9, 10, 11, 12, 13, 31])):
        torch.testing.assert_close(contexts.logits[row], alone(model, [*shared, *prompt]), atol=1e-4, rtol=1e-4)
