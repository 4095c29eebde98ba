"""The network of the published studies has the layers that its checkpoint names, as far as shapes tell."""

import math

import torch
from support.tiny_checkpoint import tensors

from lib.generation.images.improved_unet import Network, embedding


def test_the_network_of_the_studies_has_273_million_weights() -> None:
    published = tensors(192, (1, 2, 3, 4), 3, (4, 8), 1000, device="meta")
    with torch.device("meta"):
        network = Network(published)
    assert sum(weight.numel() for weight in network.parameters()) == 273_049_350  # as openai's own code builds it


def test_every_tensor_is_used_and_changes_what_comes_out() -> None:
    torch.manual_seed(0)
    weights = tensors()
    network = Network(weights).eval()
    assert {name for name, _ in network.named_parameters()} == {*weights}
    noisy, steps, kinds = torch.randn(2, 3, 16, 16), torch.tensor([5, 900]), torch.tensor([0, 4])
    out = network(noisy, steps, kinds)
    assert out.shape == (2, 3, 16, 16)
    out.square().sum().backward()
    idle = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.any()]
    assert idle == []


def test_each_picture_is_for_itself_and_step_and_class_count() -> None:
    torch.manual_seed(0)
    network, noisy = Network(tensors()).eval(), torch.randn(2, 3, 16, 16)
    with torch.inference_mode():
        both = network(noisy, torch.tensor([5, 900]), torch.tensor([0, 4]))
        alone = network(noisy[1:], torch.tensor([900]), torch.tensor([4]))
        others = [network(noisy[1:], torch.tensor([s]), torch.tensor([k])) for s, k in ((5, 4), (900, 1))]
    assert torch.allclose(both[1:], alone, atol=1e-5)
    assert all(not torch.allclose(alone, other, atol=1e-3) for other in others)


def test_a_network_without_classes_is_told_none() -> None:
    network = Network(tensors(classes=0)).eval()
    assert network.classes == 0 and network(torch.zeros(1, 3, 16, 16), torch.tensor([3]), None).shape == (1, 3, 16, 16)


def test_the_embedding_of_a_step_is_the_formula() -> None:
    angles = [100 * 10_000 ** (-place / 4) for place in range(4)]
    expected = torch.tensor([[*map(math.cos, angles), *map(math.sin, angles)]])
    assert torch.allclose(embedding(torch.tensor([100]), 8), expected, atol=1e-4)
