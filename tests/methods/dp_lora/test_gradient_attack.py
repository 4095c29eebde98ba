"""The attack on released gradients: the gradients of single examples, their products, and what a sum gives away."""

import numpy as np
import pytest
import torch
from support.audit_toys import TINY, TRAINING, plant

from lib.audit import attack
from lib.methods.dp_lora import gradient_attack, launch
from lib.models import loading
from lib.models.examples import encode_all
from lib.models.prompt import Prompt


def test_a_gradient_is_that_of_the_example_alone_and_clipped() -> None:
    _, net = launch.start(TRAINING | {"processes": 1, "split_weights": False})
    for parameter in net.parameters():
        if parameter.requires_grad:  # as in a training that has begun: both matrices have a gradient
            torch.nn.init.normal_(parameter, std=0.05, generator=torch.Generator().manual_seed(parameter.numel()))
    asked = [canary.record for canary in plant().everyone[:5]]
    tokenizer, template = loading.load_tokenizer(TINY), Prompt("{mood}:", False)
    examples, _ = encode_all(asked, tokenizer, template, max_tokens=48, unit="record")
    gradients, nats = gradient_attack.of_examples(net, examples, max_grad_norm=0.1, contrast=0.0)
    for example, row, loss in zip(examples, gradients.float(), nats, strict=True):
        ids = torch.tensor([[*example.prompt, *example.completion]])
        labels = ids.clone()
        labels[0, : len(example.prompt)] = -100
        net.zero_grad()
        alone_loss = net(input_ids=ids, labels=labels).loss
        alone_loss.backward()
        assert loss == pytest.approx(alone_loss.item(), rel=1e-4)
        alone = torch.cat([p.grad.flatten() for p in net.parameters() if p.requires_grad])
        alone *= min(1, 0.1 / alone.norm())
        torch.testing.assert_close(row, alone, rtol=0.02, atol=1e-4)
    assert gradients.float().norm(dim=1) == pytest.approx(0.1, rel=1e-2)  # all of these are longer


def test_a_gradient_in_the_sum_is_found_beside_what_all_records_share() -> None:
    rng = torch.Generator().manual_seed(0)
    shared = torch.randn(3, 4000, generator=rng)

    def made(count: int) -> torch.Tensor:
        return torch.randn(count, 3, generator=rng) @ shared * 3 + torch.randn(count, 4000, generator=rng)

    canaries, others, background = made(40), made(60), made(60)
    inside = torch.arange(40) % 2 == 0
    released = canaries[inside].sum(0) + others.sum(0) + torch.randn(4000, generator=rng)
    swapped = canaries[~inside].sum(0) + others.sum(0)
    known = torch.cat([canaries, background]).half()
    seen = gradient_attack.products(known, torch.stack([released, swapped]))  # two steps
    scores, of_others = gradient_attack.scores(gradient_attack.products(known, known), seen)[:, :40]
    assert attack.auc(scores, inside.numpy()).value > 0.95
    assert attack.auc(of_others, inside.numpy()).value < 0.05
    naive = (canaries @ released).numpy()  # what all records share drowns it
    assert attack.auc(naive, inside.numpy()).value < 0.8


def test_products_of_gradients_are_those_of_the_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    left, right = torch.randn(5, 70, generator=rng).half(), torch.randn(3, 70, generator=rng)
    monkeypatch.setattr(gradient_attack, "COLUMNS_AT_ONCE", 32)
    np.testing.assert_allclose(
        gradient_attack.products(left, right), (left.double() @ right.double().T).numpy(), rtol=1e-5
    )
