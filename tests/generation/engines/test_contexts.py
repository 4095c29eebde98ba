"""Contexts: logits against texts that are read alone, with a shared beginning and without."""

import pytest
import torch

from lib.generation.engines.contexts import Contexts
from lib.models import loading
from lib.models.hidden_states import Directions

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


@torch.inference_mode()
def test_each_text_is_moved_by_its_own_direction_also_where_prompts_are_equal(model):
    vectors = torch.randn((3, 1, model.config.hidden_size), generator=torch.Generator().manual_seed(0))
    steering, moved = Directions([0], vectors), [0, 1, 2, 0]
    contexts = Contexts(model, PROMPTS, 0, steering=steering, moved=moved)

    def moved_alone(ids: list[int], since: int, number: int) -> torch.Tensor:
        places = torch.tensor([[place >= since for place in range(len(ids))]])
        with steering.moving(model, [number], places):
            return alone(model, ids)

    for row, prompt in enumerate(PROMPTS):
        expected = moved_alone(list(prompt), len(prompt) - 1, moved[row])
        torch.testing.assert_close(contexts.logits[row], expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(contexts.logits[0], contexts.logits[2])
    contexts.extend(torch.tensor([30, 31]), [2, 3])
    for row, (prompt, number, token) in enumerate(((PROMPTS[2], 2, 30), (PROMPTS[3], 0, 31))):
        expected = moved_alone([*prompt, token], len(prompt) - 1, number)
        torch.testing.assert_close(contexts.logits[row], expected, atol=1e-4, rtol=1e-4)
