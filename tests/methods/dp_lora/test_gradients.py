"""Masks of dropout in a step, and micro-batches without units beside split weights. The rest is in test_trainer."""

import pytest
import torch
from support.errors import refused
from support.lora_toys import examples, tiny

from lib.methods.dp_lora import gradients, per_sample
from lib.methods.dp_lora.alone import ALONE
from lib.methods.dp_lora.gradients import masks
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.shapes import Shapes

CPU = torch.device("cpu")


def drawn(noise: float | None, rank: int, privacy_seed: int | None = 5) -> torch.Tensor:
    settings = Settings(noise, steps=1, expected_batch=1, privacy_seed=privacy_seed)
    with masks(settings, 3, CPU, rank):
        return torch.rand(8)


@pytest.mark.parametrize("noise", [1.0, None])
def test_each_process_draws_masks_of_its_own(noise: float | None) -> None:
    seen = [drawn(noise, rank) for rank in (0, 1, 2)]
    assert len({tuple(row.tolist()) for row in seen}) == 3
    assert torch.equal(drawn(noise, 1), seen[1])  # from the seed


def test_without_a_seed_masks_are_secret() -> None:
    assert not torch.equal(drawn(1.0, 1, None), drawn(1.0, 1, None))


def test_the_global_generator_is_left_as_it_was() -> None:
    torch.manual_seed(7)
    expected = torch.rand(4)
    torch.manual_seed(7)
    drawn(1.0, 0)
    assert torch.equal(torch.rand(4), expected)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the texts that a model computes which is taken for a split one."""
    seen = []
    original = gradients.example_losses

    def counted(model, batch, **named):
        seen.append(batch.input_ids.shape[1])
        return original(model, batch, **named)

    monkeypatch.setattr(gradients, "is_split", lambda model: True)
    monkeypatch.setattr(gradients, "example_losses", counted)
    return seen


def test_beside_split_weights_no_units_cost_a_pass_and_give_no_row(passes: list[int]) -> None:
    net = tiny()
    per_sample.attach(net)
    gradients.of_units(net, [], Shapes(512, 4.0), split_head=True)
    assert len(passes) == 1
    assert all(len(parameter.grad_sample) == 0 for parameter in gradients.trainable(net))


def test_beside_split_weights_no_units_add_nothing_to_an_ordinary_gradient(passes: list[int]) -> None:
    net, units = tiny(), [[example] for example in examples(3)]
    gradients.summed(net, [], 0.0, split_head=True)
    assert not any(parameter.grad.any() for parameter in gradients.trainable(net))
    gradients.summed(net, units, 0.0, split_head=True)
    before = [parameter.grad.clone() for parameter in gradients.trainable(net)]
    gradients.summed(net, [], 0.0, split_head=True)
    assert len(passes) == 3 and any(grad.any() for grad in before)
    assert all(torch.equal(*pair) for pair in zip(before, (p.grad for p in gradients.trainable(net)), strict=True))


def test_split_weights_in_a_bfloat16_that_is_not_safe_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "is_split", lambda model: True)
    monkeypatch.setattr(gradients, "rows_are_independent", lambda *given, **named: False)
    settings = Settings(1.0, steps=1, expected_batch=4)
    with refused("methods.split_in_bfloat16", name="dtype"):
        gradients.shapes_of(tiny().to(torch.bfloat16), settings, True, ALONE)
    gradients.shapes_of(tiny(), settings, True, ALONE)  # in float32 it is not asked
