"""Losses of completions: per token, per example and of a held-out set, against the model's own logits."""

import pytest
import torch
from support.lora_toys import examples, tiny
from transformers.utils import ModelOutput

from lib.models import losses
from lib.models.examples import Batch


def test_padding_and_neighbours_in_a_batch_do_not_change_a_loss() -> None:
    model, data = tiny().eval(), examples()
    together = losses.example_losses(model, Batch.of(data, 0, "cpu"), split_head=True)
    alone = torch.cat([losses.example_losses(model, Batch.of([e], 7, "cpu"), split_head=True) for e in data])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_the_split_head_gives_the_models_own_loss_and_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "HEAD_CHUNK", 5)
    results = []
    for split in (False, True):
        model = tiny()
        mean = losses.example_losses(model, Batch.of(examples(), 0, "cpu"), split_head=split)
        mean.sum().backward()
        results.append((mean.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad])))
    for whole, in_chunks in zip(*results, strict=True):
        torch.testing.assert_close(whole, in_chunks, rtol=1e-4, atol=1e-6)


def test_a_head_that_is_more_than_linear_is_not_split() -> None:
    model = tiny()
    batch = Batch.of(examples()[:2], 0, "cpu")
    assert losses.head_splits(model, batch)
    base = model.get_base_model()
    plain = base.forward
    base.forward = lambda *args, **kwargs: _scaled(plain(*args, **kwargs))
    assert not losses.head_splits(model, batch)


def _scaled(output: ModelOutput) -> ModelOutput:
    output.logits = output.logits * 0.5
    return output


def test_losses_are_those_of_the_completion_alone() -> None:
    model, data = tiny().eval(), examples()
    done: list[int] = []
    rows = losses.held_out_losses(model, data, tokens_per_batch=20, progress=done.append)
    assert sum(done) == len(data) and len(done) > 1
    for row, e in zip(rows, data, strict=True):
        logits = model(input_ids=torch.tensor([[*e.prompt, *e.completion]])).logits[0, len(e.prompt) - 1 : -1]
        own = torch.nn.functional.cross_entropy(logits, torch.tensor(e.completion), reduction="sum")
        assert row == pytest.approx([own.item(), len(e.completion)], rel=1e-4)


def test_the_same_held_out_records_are_drawn_for_every_arm_and_all_where_there_are_few() -> None:
    one, other = (examples(20) for _ in range(2))
    first, second = losses.drawn(one, 8), losses.drawn(other, 8)
    assert [one.index(e) for e in first] == [other.index(e) for e in second] == sorted(one.index(e) for e in first)
    assert len(first) == 8 and losses.drawn(one, 20) == losses.drawn(one, 99) == one
    assert [one.index(e) for e in first] != list(range(8))
