"""Shapes of micro-batches: one unit more moves the clipped sum by its own gradient alone, in both number types."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from support.lora_toys import adapted
from transformers import LlamaConfig, LlamaForCausalLM

from lib.methods.dp_lora import per_sample
from lib.methods.dp_lora.optimizer import GRID
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.shapes import Shapes, rows_are_independent
from lib.methods.dp_lora.trainer import Trainer
from lib.models import losses
from lib.models.examples import Batch, Example, by_length
from lib.models.losses import example_losses

TOKENS, UNITS, BATCH, DRAWS = 256, 96, 16, 24
Sum = Callable[[Sequence[int]], torch.Tensor]


def model(dtype: torch.dtype) -> torch.nn.Module:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=100, hidden_size=128, intermediate_size=128, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    return adapted(LlamaForCausalLM(config).to(dtype))


def examples(units: int = UNITS, records: int = 1) -> list[Example]:
    draw = np.random.default_rng(0)
    lengths = [int(draw.integers(5, 40)) for _ in range(units * records)]
    return [
        Example(draw.integers(1, 100, 3).tolist(), draw.integers(1, 100, length).tolist(), i // records)
        for i, length in enumerate(lengths)
    ]


def make_trainer(tmp_path, dtype: torch.dtype, data: list[Example]) -> Trainer:
    """A trainer in this number type; skips where the machine's rows depend on each other, so that it is float32."""
    made = trainer_of(tmp_path, model(dtype), data)
    if made.model.base_model.model.dtype != dtype:
        pytest.skip(f"on this machine rows depend on each other in {dtype}")
    return made


def trainer_of(tmp_path, net: torch.nn.Module, data: list[Example]) -> Trainer:
    settings = Settings(
        1.0, steps=1, expected_batch=UNITS / 2, max_grad_norm=0.1, tokens_per_micro_batch=TOKENS, privacy_seed=1
    )
    return Trainer(net, data, settings, tmp_path / "checkpoint.pt")


def clipped_sum(made: Trainer, units: Sequence[int]) -> torch.Tensor:
    """The sum of a batch in clipping norms, without noise."""
    for parameter in made.parameters:
        parameter.summed_grad = None
    for group in made.micro_batches(units):
        made._gradients(group, private=True)
        made.optimizer.clip_and_accumulate()
        for parameter in made.parameters:
            parameter.grad_sample = None
    return torch.cat([parameter.summed_grad.flatten() for parameter in made.parameters]).double() * GRID


def moves(total: Sum, units: int, draws: int = DRAWS) -> tuple[float, float]:
    """How far one unit more moves the sum, and how far it moves the part of the others, at most; in clipping norms."""
    whole, others = [], []
    for seed in range(draws):
        batch = np.random.default_rng(seed).choice(units, BATCH + 1, replace=False).tolist()
        moved = total(batch) - total(batch[1:])
        whole.append(float(moved.norm()))
        others.append(float((moved - total(batch[:1])).norm()))
    return max(whole), max(others)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_one_unit_more_moves_the_sum_by_its_clipped_gradient_alone(tmp_path, dtype):
    made = make_trainer(tmp_path, dtype, examples())
    whole, others = moves(lambda units: clipped_sum(made, units), UNITS)
    assert whole <= 1 and others == 0


def test_users_with_several_records_move_no_others(tmp_path):
    made = make_trainer(tmp_path, torch.bfloat16, examples(UNITS // 2, records=2))
    whole, others = moves(lambda units: clipped_sum(made, units), UNITS // 2, draws=6)
    assert whole <= 1 and others == 0


def test_groups_of_similar_length_would_move_others_in_bfloat16(tmp_path, monkeypatch):
    """The positive control: the widest of a group set the width, and one unit more moved units between groups."""

    def similar(self, units):
        return by_length([len(u) for u in units], [len(u[0]) for u in units], self.tokens)

    def loss(self, model, units, *, pad, split_head):
        return example_losses(model, Batch.of([e for u in units for e in u], pad, "cpu"), split_head=split_head).sum()

    made = make_trainer(tmp_path, torch.bfloat16, examples())
    monkeypatch.setattr(Shapes, "groups", similar)
    monkeypatch.setattr(Shapes, "loss", loss)
    whole, others = moves(lambda units: clipped_sum(made, units), UNITS)
    assert whole > 1 + 1e-5 and others > 1e-3


def test_a_units_shape_depends_on_the_unit_alone():
    data, made = examples(200), Shapes(TOKENS, 120)
    assert made.rows(16) == 16 and made.rows(100) == 2 and made.rows(1000) == 1
    assert Shapes(4096, 640).rows(16) == 16 and Shapes(4096, 640).rows(64) == 10 and Shapes(4096, 640).rows(1000) == 4
    for seed in range(5):
        batch = np.random.default_rng(seed).choice(200, 90, replace=False)
        groups = list(made.groups([[data[i]] for i in batch]))
        assert sorted(i for group in groups for i in group) == list(range(90))
        for group in groups:
            shapes = {made.of([data[batch[i]]]) for i in group}
            assert len(shapes) == 1 and len(group) <= made.rows(shapes.pop().width)


@pytest.mark.parametrize(
    ("length", "width"), [(2, 8), (9, 8), (10, 16), (33, 32), (34, 40), (65, 64), (66, 80), (1000, 1024)]
)
def test_widths_are_rounded_up_to_four_an_octave(length, width):
    assert Shapes(TOKENS, 1).of([Example([1], [1] * (length - 1), 0)]) == (0, width)


def test_a_width_is_never_beyond_the_models_positions():
    assert Shapes(TOKENS, 1, positions=1000).of([Example([1], [1] * 990, 0)]) == (0, 1000)


def test_the_head_starts_within_the_shortest_prompt_and_what_follows_is_rounded_up():
    short, long = Example([1] * 22, [1] * 3, 0), Example([1] * 23, [1] * 12, 0)
    assert Shapes(TOKENS, 1).of([short]) == (16, 24) and Shapes(TOKENS, 1).of([short, long]) == (16, 40)


def test_a_user_with_more_records_than_rows_is_alone():
    user, other = examples(1, records=9), examples(2)[1:]
    assert sorted(Shapes(TOKENS, 32).groups([user, other])) == [[0], [1]]


@pytest.mark.parametrize("split_head", [True, False])
@pytest.mark.parametrize("prompt", [3, 21])
def test_loss_and_gradient_are_those_of_the_examples_alone(monkeypatch, split_head, prompt):
    monkeypatch.setattr(losses, "HEAD_CHUNK", 300)
    made, data, net = Shapes(4096, 1280), examples(20), model(torch.float32)
    data = [Example((e.prompt * 7)[:prompt], e.completion, e.unit) for e in data]
    shape, data = made.of(data[:1]), [e for e in data if made.of([e]) == made.of(data[:1])]
    places = made.rows(shape.width) * (shape.width - shape.start)
    assert shape.start == prompt // 16 * 16 and len(data) > 1 and places % losses.head_chunk(places)
    results = []
    for loss in (
        example_losses(net, Batch.of(data, 0, "cpu"), split_head=split_head).sum(),
        made.loss(net, [[e] for e in data], pad=0, split_head=split_head),
    ):
        net.zero_grad()
        loss.backward()
        results.append((loss.detach(), torch.cat([p.grad.flatten() for p in net.parameters() if p.requires_grad])))
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


class Mixing(torch.nn.Module):
    """Makes every example see the rest of its micro-batch a little, as rounding that depends on company does."""

    def __init__(self, inside: torch.nn.Module):
        super().__init__()
        self.inside = inside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inside(x + 1e-2 * x.mean(0, keepdim=True))


def mixing(dtype: torch.dtype) -> torch.nn.Module:
    net = model(dtype)
    layer = net.base_model.model.model.layers[0]
    layer.mlp = Mixing(layer.mlp)
    return net


@pytest.mark.parametrize("contrast", [0.0, 1.0])
def test_rows_that_depend_on_each_other_are_found(contrast):
    for net, expected in ((model(torch.bfloat16), True), (mixing(torch.bfloat16), False)):
        per_sample.attach(net.train())
        assert rows_are_independent(net, Shapes(TOKENS, 96, contrast=contrast), split_head=True) is expected
        assert net.training and all(getattr(p, "grad_sample", None) is None for p in net.parameters())


def test_the_measurement_has_short_prompts_long_ones_and_wrong_ones(monkeypatch):
    """What the training meets: each is another shape of the head's product."""
    measured, loss = set(), Shapes.loss

    def seen(self, net, units, **others):
        measured.add((len(units[0]), *self.of(units[0])))
        return loss(self, net, units, **others)

    monkeypatch.setattr(Shapes, "loss", seen)
    for contrast in (0.0, 1.0):
        net = model(torch.bfloat16)
        per_sample.attach(net)
        rows_are_independent(net, Shapes(8 * 64, 96, contrast=contrast), split_head=True)
    assert {(rows, start) for rows, start, _ in measured} == {(1, 0), (1, 16), (2, 0), (2, 16)}


def test_where_rows_depend_on_each_other_the_training_is_in_float32(tmp_path, capsys):
    made = trainer_of(tmp_path, mixing(torch.bfloat16), examples())
    assert {p.dtype for p in made.model.parameters()} == {torch.float32}
    assert "float32 is used" in capsys.readouterr().out
    assert len(list(made.micro_batches(range(8)))) and clipped_sum(made, range(8)).norm() > 0
