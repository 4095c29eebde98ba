"""Hidden states against those that transformers hands out, and a model that is moved against one moved by hand."""

import pytest
import torch
from support.errors import refused
from support.lora_toys import llama
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from lib.models import hidden_states
from lib.models.hidden_states import Directions


def gpt2() -> nn.Module:
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=3, n_head=2, n_positions=32))


@pytest.fixture(params=[lambda: llama(num_hidden_layers=3), gpt2], ids=["llama", "gpt2"])
def model(request: pytest.FixtureRequest) -> nn.Module:
    return request.param().eval()


IDS = torch.randint(50, (4, 7), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_means_are_weighted_sums_of_what_leaves_a_layer(model: nn.Module) -> None:
    weights = torch.rand(IDS.shape, generator=torch.Generator().manual_seed(2))
    states = model(IDS, output_hidden_states=True).hidden_states
    found = hidden_states.means(model, IDS, weights, [0, 1])
    by_hand = torch.stack([(states[layer + 1] * weights[:, :, None]).sum(1) for layer in (0, 1)], 1)
    torch.testing.assert_close(found, by_hand)
    again = model(IDS, output_hidden_states=True).hidden_states  # all layers are there again, without hooks
    assert len(again) == len(states) and all(map(torch.equal, again, states))


@torch.no_grad()
def test_layers_behind_the_last_one_asked_for_are_not_run(model: nn.Module) -> None:
    ran = []
    for number, layer in enumerate(hidden_states.layers_of(model)):
        layer.register_forward_hook(lambda *given, number=number: ran.append(number))
    hidden_states.means(model, IDS, torch.ones(IDS.shape), [1])
    assert ran == [0, 1]


@torch.no_grad()
def test_a_direction_is_added_at_the_last_position_or_at_places(model: nn.Module) -> None:
    vectors = torch.randn((3, 1, 16), generator=torch.Generator().manual_seed(3))
    steering, seen = Directions([1], vectors), []
    hidden_states.layers_of(model)[2].register_forward_pre_hook(
        lambda module, given, named: seen.append(given[0] if given else named["hidden_states"]), with_kwargs=True
    )
    before = model(IDS, output_hidden_states=True).logits
    places = torch.zeros(IDS.shape, dtype=torch.bool)
    places[:, 2:4] = True
    with steering.moving(model, [0, 2, -1, 1]):
        last = model(IDS).logits
    with steering.moving(model, [0, 2, -1, 1], places):
        model(IDS)
    plain, at_last, at_places = seen
    step = vectors[[0, 2, 2, 1], 0]
    torch.testing.assert_close(at_last[:, -1] - plain[:, -1], step)
    assert torch.equal(at_last[:, :-1], plain[:, :-1])
    torch.testing.assert_close(at_places - plain, places[:, :, None] * step[:, None])
    assert torch.equal(last[:, :-1], before[:, :-1]) and not torch.allclose(last[:, -1], before[:, -1])
    assert torch.equal(model(IDS).logits, before)  # and no longer behind the with


def test_the_layer_behind_the_middle_is_chosen_and_unknown_ones_are_refused() -> None:
    assert hidden_states.chosen_layers(llama(num_hidden_layers=6), None) == [4]
    assert hidden_states.chosen_layers(llama(num_hidden_layers=1), None) == [0]
    assert hidden_states.chosen_layers(llama(), [1, 0]) == [0, 1]
    for layers in ([], [2], [-1], [0, 0]):
        with refused("models.layers_out_of_range", name="layers"):
            hidden_states.chosen_layers(llama(), layers)
    with refused("models.no_layers", name="model"):
        hidden_states.layers_of(nn.Linear(2, 2))
