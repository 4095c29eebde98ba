"""Texts side by side: which units count, and which tokens may come."""

import numpy as np
import pytest
import torch

from lib.methods.private_prediction import side_by_side as module
from lib.methods.private_prediction.batches import Batch
from lib.methods.private_prediction.side_by_side import Rule, Writing, rows_are_independent
from lib.methods.private_prediction.writer import Writer
from lib.models import loading

PARAMETERS = {
    "model": "bundled:tiny-random", "prompt": "One {mood} text.", "prompt_with_record": "One {mood} text, like: {text}",
    "prompts": None, "chat": False, "max_record_tokens": 20, "one_line": False, "batch_size": 4, "device": "cpu",
}  # fmt: skip


@pytest.fixture
def rule(writer) -> Rule:
    numbers = {"clip": 0.7, "divisor": 3.0, "temperature": 1.0, "top_k": 5, "margin": 0.0, "max_new_tokens": 9}
    return Rule(**numbers, rows=2, texts_at_once=2, stops=writer.ends)


def scores(writer, rule, units, counted=None) -> torch.Tensor:
    """Of the first token of one text, over the whole vocabulary."""
    asked = writer.requests.asked({"mood": "good"}, Batch(0, 0))
    writing = Writing(writer.model, writer.requests, [asked], [units], [[]], rule.rows)
    values, columns = writing.scores(rule, counted)
    whole = torch.full((len(writer.requests.tokenizer),), -torch.inf, dtype=torch.float64)
    whole[columns] = values[0]
    return whole


def test_a_unit_that_does_not_count_is_as_if_it_were_not_there(writer, rule, parted):
    units = parted[Batch(0, 0)]
    without = scores(writer, rule, units, np.array([True, False, True]))
    torch.testing.assert_close(without, scores(writer, rule, [units[0], units[2]]), rtol=0, atol=0)
    assert not torch.equal(without, scores(writer, rule, units))
    assert torch.equal(scores(writer, rule, units, np.zeros(3, bool)), scores(writer, rule, []))


def test_no_end_comes_first_and_k_tokens_are_kept(writer, rule, parted):
    whole = scores(writer, rule, parted[Batch(0, 0)])
    assert int(whole.isfinite().sum()) == 5 and not whole[list(writer.ends)].isfinite().any()


def test_a_text_ends_at_an_end_token_or_at_its_limit(writer, rule):
    (end, *_) = writer.ends
    assert [rule.ended(tokens) for tokens in ([], [1], [1, end], [1] * 9)] == [False, False, True, True]


def test_the_shape_of_a_block_says_nothing_about_who_is_in_it(writer, rule, parted, monkeypatch):
    shapes, whole = [], module.Contexts

    def seen(model, prompts, pad, shared=(), shape=None):
        shapes.append(shape)
        return whole(model, prompts, pad, shared, shape)

    monkeypatch.setattr(module, "Contexts", seen)
    for units in (parted[Batch(0, 0)][:1], parted[Batch(0, 1)][:1], parted[Batch(0, 0)]):
        scores(writer, rule, units)
    assert len(set(shapes) - {None}) == 1 and shapes.count(None) == 3  # the public ones


class Mixing(torch.nn.Module):
    """Makes every row see the rest of its block a little, as rounding that depends on company does."""

    def __init__(self, inside: torch.nn.Module):
        super().__init__()
        self.inside = inside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inside(x + 1e-2 * x.mean(0, keepdim=True))


def test_rows_that_depend_on_each_other_are_found(writer, capsys, monkeypatch):
    given = {"requests": writer.requests, "labels": {"mood": "good"}, "rows": 8}
    model = loading.load("bundled:tiny-random", device="cpu", dtype="bfloat16")
    assert rows_are_independent(model, **given)
    model.model.layers[0].mlp = Mixing(model.model.layers[0].mlp)
    assert not rows_are_independent(model, **given)
    monkeypatch.setattr(loading, "load", lambda *names, **options: model)
    opened = Writer.open(PARAMETERS | {"dtype": "bfloat16"}, {"mood": "good"})
    assert opened.model.dtype == torch.float32 and "float32 is used" in capsys.readouterr().out
