"""Frozen weights that two processes hold together: as one process with all of them, to the bit, each with half."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.errors import refused
from support.lora_toys import examples, llama
from torch.distributed.tensor import DTensor

from lib.methods.dp_lora import adapters, gradients, launch, per_sample
from lib.methods.dp_lora.alone import ALONE, Alone
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models.examples import Example
from lib.models.losses import held_out_losses

NOISELESS = 1e-12
GIVEN = {
    "device": "cpu", "dtype": "float32", "lora": {"r": 3, "target_modules": ["q_proj", "down_proj"]},
    "frozen_a": False, "gradient_checkpointing": False, "seed": 0, "processes": 2, "split_weights": True,
}  # fmt: skip
Side = tuple[Alone, torch.nn.Module]


def ends() -> int:
    """Embeddings and output heads that are in memory, of all models in this process."""
    gc.collect()
    weights = (thing for thing in gc.get_objects() if type(thing) is torch.nn.Parameter)
    return sum(weight.shape == (50, 16) and weight.untyped_storage().nbytes() > 0 for weight in weights)


@pytest.fixture(scope="module", params=[False, True], ids=["", "checkpointing"])
def sides(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Side]]:
    """One process with all weights, and the first of two that hold a part each; the sizes are no multiples of two."""
    if torch.accelerator.current_accelerator() is not None:
        pytest.skip("a PyTorch for cards splits no weights on processors; check-machine does it on two cards")
    path = tmp_path_factory.mktemp("model")
    llama(intermediate_size=25, num_hidden_layers=3, tie_word_embeddings=request.param).save_pretrained(path)
    given = GIVEN | {"model": str(path), "gradient_checkpointing": request.param}
    one, before = launch.start(given | {"processes": 1, "split_weights": False}), ends()
    two = launch.start(given)
    assert ends() - before == (1 if request.param else 2)  # where they are one, FSDP would gather it twice
    yield [one, two]
    two[0].close()


def trainer(path: Path, side: Side, data: list[Example] | None = None, **changes) -> Trainer:
    """A training from the same adapters on either side."""
    team, net = side
    per_sample.detach(net)
    with torch.no_grad():
        for weight in gradients.trainable(net):
            weight.normal_(0, 0.2, generator=torch.Generator().manual_seed(weight.numel()))
    settings = {"noise_multiplier": 1.0, "steps": 4, "expected_batch": 4, "checkpoint_every": 2, "privacy_seed": 5}
    return Trainer(net, data or examples(), Settings(**settings | changes), path / f"{team.size}.pt", team)


def whole(made: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in made.parameters])


def released(made: Trainer, units: list[int]) -> torch.Tensor:
    """What the optimizer is handed for a batch, as one flat vector."""
    seen = []
    made.step(units, lambda step, gradients: seen.extend(g.flatten().clone() for g in gradients))
    return torch.cat(seen)


def test_one_process_is_alone_with_all_weights(sides: list[Side]) -> None:
    assert sides[0][0] is ALONE
    assert not any(isinstance(weight, DTensor) for weight in sides[0][1].parameters())


@pytest.mark.parametrize("noise", [1.0, None])
@pytest.mark.parametrize(
    "changes",
    [{"tokens_per_micro_batch": 1}, {"expected_batch": 0.5, "steps": 8}, {"tokens_per_micro_batch": 10_000}],
    ids=["a micro-batch each", "empty batches", "one micro-batch"],
)
def test_split_weights_end_where_whole_ones_do(
    tmp_path: Path, sides: list[Side], noise: float | None, changes: dict
) -> None:
    made = []
    for side in sides:
        made.append(trainer(tmp_path, side, examples(12, units=6), noise_multiplier=noise, **changes))
        progress = made[-1].run()
        made[-1] = (whole(made[-1]), progress)
    (one, progress), (both, of_both) = made
    assert progress == of_both
    assert any(size % 2 for size in progress.batch_sizes)  # no equal share for both processes
    if noise:
        assert torch.equal(one, both)
    else:  # sums of floating-point numbers
        torch.testing.assert_close(one, both, rtol=1e-5, atol=1e-6)
    assert not torch.equal(one, whole(trainer(tmp_path / "new", sides[0])))  # something was learned


@pytest.mark.parametrize("first", [0, 1], ids=["whole first", "split first"])
def test_a_checkpoint_goes_from_split_weights_to_whole_ones_and_back(
    tmp_path: Path, sides: list[Side], first: int
) -> None:
    class Killed(Exception):
        pass

    def kill(progress):
        if progress.step == 3:
            raise Killed

    unbroken = trainer(tmp_path / "unbroken", sides[0])
    unbroken.run()
    end = whole(unbroken)
    with pytest.raises(Killed):
        trainer(tmp_path, sides[first]).run(on_step=kill)
    (file,) = tmp_path.glob("*.pt")
    file.rename(tmp_path / f"{2 - first}.pt")
    resumed = trainer(tmp_path, sides[1 - first])
    assert resumed.progress.step == 2
    resumed.run()
    assert torch.equal(end, whole(resumed))


def test_a_made_up_text_is_in_no_sum_and_would_be_seen(tmp_path: Path, sides: list[Side], monkeypatch) -> None:
    made = trainer(tmp_path, sides[1], noise_multiplier=NOISELESS)
    assert not released(made, []).any()  # both processes computed one
    original = gradients.of_units
    with_a_row = lambda model, units, *given, **named: original(  # noqa: E731
        model, units or [[Example([0], [0], 0)]], *given, **named
    )
    monkeypatch.setattr(gradients, "of_units", with_a_row)
    assert released(made, []).any()  # the positive control


def test_each_process_holds_half_of_the_layers_and_gathers_one_at_a_time(sides: list[Side]) -> None:
    (_, one), (team, net) = sides
    layers = net.get_base_model().get_decoder().layers
    split = {name: weight for name, weight in layers.named_parameters() if isinstance(weight, DTensor)}
    assert len(split) == sum(".lora_" not in name for name, _ in layers.named_parameters())
    here = sum(weight.to_local().nbytes for weight in split.values())
    frozen = one.get_base_model().get_decoder().layers.named_parameters()
    of_all = sum(weight.nbytes for name, weight in frozen if ".lora_" not in name)
    assert 0.5 <= here / of_all < 0.55  # a matrix of 25 rows has 13 here
    gathered = []

    def count(*given):
        gathered.append([not isinstance(layer.mlp.up_proj.weight, DTensor) for layer in layers])

    hooks = [layer.mlp.up_proj.register_forward_hook(count) for layer in layers]
    with team.evaluating(net), torch.no_grad():
        net(input_ids=torch.tensor([[1, 2, 3]]))
    for hook in hooks:
        hook.remove()
    assert gathered == [[True, False, False], [False, True, False], [False, False, True]]
    assert not any(isinstance(weight, DTensor) for weight in net.get_base_model().get_output_embeddings().parameters())


def test_evaluation_is_that_of_whole_weights(tmp_path: Path, sides: list[Side]) -> None:
    losses = []
    for side in sides:
        trainer(tmp_path, side)
        with side[0].evaluating(side[1]):
            losses.append(held_out_losses(side[1], examples(7), tokens_per_batch=20))
    assert (losses[0] == losses[1]).all() and losses[0][:, 0].min() > 0


def test_an_interrupted_evaluation_is_not_mixed_up_with_a_step(sides: list[Side], monkeypatch) -> None:
    team, net = sides[1]
    monkeypatch.setattr(team, "close", lambda: None)
    with pytest.raises(KeyboardInterrupt), team.evaluating(net):
        raise KeyboardInterrupt
    for begin in (lambda: team.share(0, [], [], []), team.evaluating(net).__enter__):
        with refused("methods.step_interrupted", value=2):
            begin()
    team.busy = False
    net.get_base_model().get_decoder()._forward_pre_hooks.popitem(last=False)  # it would go on telling the others


def test_adapters_are_saved_and_read_back_without_the_frozen_weights(tmp_path: Path, sides: list[Side]) -> None:
    for side in sides:
        trainer(tmp_path / "none", side)
        adapters.save(side[1], tmp_path / str(side[0].size))
    one, both = (load_file(tmp_path / f"{size}" / "adapter_model.safetensors") for size in (1, 2))
    assert one.keys() == both.keys() and all(torch.equal(one[name], both[name]) for name in one)
    net = sides[1][1]
    before = [weight.detach().clone() for weight in gradients.trainable(net)]
    with torch.no_grad():
        for weight in gradients.trainable(net):
            weight.zero_()
    adapters.read_back(net, tmp_path / "1")
    assert all(torch.equal(*pair) for pair in zip(before, gradients.trainable(net), strict=True))


def test_a_process_that_dies_ends_all(tmp_path: Path, sides: list[Side]) -> None:
    team = sides[1][0]
    (gone,) = team.processes
    made = trainer(tmp_path, sides[1], tokens_per_micro_batch=1)
    share = type(team).share

    def killing(*given):
        places = share(team, *given)
        os.kill(gone.pid, signal.SIGKILL)  # while layers are gathered
        return places

    team.share = killing
    with refused("methods.rank_died", name="processes", value=2):
        made.step(list(range(12)))
    assert gone.poll() is not None and not team.processes
    assert not torch.distributed.is_initialized()
