"""Logits at chosen positions are those of the whole model, with its head on these positions alone or on all."""

import copy

import pytest
import torch

from lib.evaluation.utility import token_logits
from lib.models.examples import Example


@pytest.mark.parametrize("split_head", [True, False])
def test_logits_equal_those_of_all_positions(model, split_head: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_logits, "POSITIONS_AT_ONCE", 2)
    ids = torch.tensor([[5, 6, 7, 8], [9, 8, 7, 6]])
    rows, columns = torch.tensor([1, 0, 1, 0, 0]), torch.tensor([3, 0, 0, 2, 3])
    with torch.no_grad():
        whole = model.base(input_ids=ids).logits[rows, columns]
    chunks = list(token_logits.logits_at(model.base, ids, rows, columns, split_head=split_head))
    assert [len(logits) for _, logits in chunks] == [2, 2, 1]
    for chunk, logits in chunks:
        assert logits.dtype == torch.float32 and not logits.requires_grad
        torch.testing.assert_close(logits, whole[chunk].float(), rtol=1e-4, atol=1e-5)


def test_only_a_frozen_head_that_does_nothing_else_is_split(model, monkeypatch: pytest.MonkeyPatch) -> None:
    example, base = Example([5, 6], [7], 0), copy.deepcopy(model.base)
    assert not token_logits.splits(base.requires_grad_(True), example)
    assert token_logits.splits(base.requires_grad_(False), example)
    forward = type(base).forward

    def capped(self, *args, **kwargs):
        done = forward(self, *args, **kwargs)
        done.logits = done.logits.tanh()
        return done

    monkeypatch.setattr(type(base), "forward", capped)
    assert not token_logits.splits(base, example)
