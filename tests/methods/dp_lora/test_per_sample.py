"""Per-example gradients: which models have them, and that a model is left as it was. Their values: test_trainer.py."""

import pytest
import torch
from support.errors import refused
from support.lora_toys import examples, tiny

from lib.methods.dp_lora import per_sample
from lib.models.examples import Batch
from lib.models.losses import example_losses


@pytest.mark.parametrize(
    ("lora", "first"),
    [({"use_dora": True}, "lora_magnitude_vector"), ({"target_modules": ["embed_tokens"]}, "lora_embedding")],
)
def test_parameters_that_cannot_be_clipped_per_example_are_refused(lora: dict, first: str) -> None:
    with refused("methods.not_clippable") as error:
        per_sample.attach(tiny(**lora))
    assert first in error.value.name and error.value.value > 0


def test_inputs_that_do_not_keep_examples_apart_are_refused() -> None:
    layer = torch.nn.Linear(4, 2)
    per_sample.attach(layer)
    assert layer(torch.zeros(3, 5, 4)).shape == (3, 5, 2)
    with refused("methods.examples_mixed", name="target_modules") as error:
        layer(torch.zeros(15, 4))
    assert "2 dimensions" in error.value.sentence
    with torch.no_grad():
        assert layer(torch.zeros(15, 4)).shape == (15, 2)


def test_a_layer_that_is_used_twice_adds_its_gradients_up_and_a_bias_has_one_too() -> None:
    layer, x = torch.nn.Linear(3, 3), torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0))
    per_sample.attach(layer)
    layer(layer(x)).square().sum().backward()
    written = layer.weight.grad_sample, layer.bias.grad_sample
    per_sample.detach(layer)
    for number in range(4):
        layer.zero_grad()
        layer(layer(x[number : number + 1])).square().sum().backward()
        for row, parameter in zip(written, (layer.weight, layer.bias), strict=True):
            torch.testing.assert_close(row[number], parameter.grad, rtol=1e-5, atol=1e-6)


def test_a_detached_model_has_summed_gradients_again() -> None:
    model, batch = tiny(), Batch.of(examples(), 0, "cpu")
    trainable = [p for p in model.parameters() if p.requires_grad]
    per_sample.attach(model)
    example_losses(model, batch, split_head=False).sum().backward()
    assert all(p.grad is None for p in trainable)
    sums = [p.grad_sample.sum(0) for p in trainable]
    per_sample.detach(model)
    example_losses(model, batch, split_head=False).sum().backward()
    for parameter, total in zip(trainable, sums, strict=True):
        torch.testing.assert_close(parameter.grad, total, rtol=1e-4, atol=1e-5)
