"""Two processes share a training over gloo: as one process, one draw, one noise; a process that dies ends all."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from scipy.stats import chi2
from support.errors import refused
from support.lora_toys import examples, llama
from transformers import PreTrainedModel

from lib.common.errors import DoppelError
from lib.methods.dp_lora import adapters, gradients, launch, rank, ranks
from lib.methods.dp_lora.alone import ALONE, Alone
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models.examples import Example

NOISELESS = 1e-12
GIVEN = {
    "device": "cpu", "dtype": "float32", "lora": {"r": 3, "target_modules": ["q_proj", "v_proj"], "lora_dropout": 0.0},
    "frozen_a": False, "gradient_checkpointing": False, "seed": 0, "processes": 2, "split_weights": False,
}  # fmt: skip


def net(base: PreTrainedModel | None = None, **changes) -> torch.nn.Module:
    base = base or llama()
    base.set_attn_implementation("eager")  # as `lib.models.loading.load` gives it on a CPU: the others load theirs
    made = adapters.add(base, **{name: (GIVEN | changes)[name] for name in adapters.PARAMETERS})
    with torch.no_grad():  # LoRA's B starts at zero, which would hide half of the gradients
        for parameter in made.parameters():
            if parameter.requires_grad:
                parameter.normal_(0, 0.2, generator=torch.Generator().manual_seed(parameter.numel()))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that the other processes load."""
    path = tmp_path_factory.mktemp("model")
    llama().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def two(folder: Path) -> Iterator[ranks.Ranks]:
    team, _ = launch.start(GIVEN | {"model": str(folder)})
    yield team
    team.close()


def trainer(path: Path, team: Alone = ALONE, data: list[Example] | None = None, **changes) -> Trainer:
    settings = {"noise_multiplier": 1.0, "steps": 6, "expected_batch": 4, "checkpoint_every": 2, "privacy_seed": 5}
    return Trainer(net(), data or examples(), Settings(**settings | changes), path / "checkpoint.pt", team)


def whole(made: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in made.parameters])


def released(made: Trainer, units: list[int]) -> torch.Tensor:
    """What the optimizer is handed for a batch, as one flat vector."""
    seen = []
    made.step(units, lambda step, gradients: seen.extend(g.flatten().clone() for g in gradients))
    return torch.cat(seen)


@pytest.mark.parametrize("noise", [1.0, None])
@pytest.mark.parametrize(
    "changes",
    [{}, {"expected_batch": 0.5, "steps": 8}, {"tokens_per_micro_batch": 10_000}, {"average_from": 2}],
    ids=["usual", "empty batches", "one micro-batch", "averaged"],
)
def test_two_processes_end_where_one_does(tmp_path: Path, two: ranks.Ranks, noise: float | None, changes: dict) -> None:
    data = examples(12, units=6)  # users of two records
    one, both = (trainer(tmp_path / str(t.size), t, data, noise_multiplier=noise, **changes) for t in (ALONE, two))
    assert one.run() == both.run()
    if "expected_batch" in changes:
        assert 0 in both.progress.batch_sizes and 1 in both.progress.batch_sizes  # fewer units than processes
    torch.testing.assert_close(whole(one), whole(both), rtol=1e-5, atol=1e-6)
    if noise:  # whole numbers: not even rounding differs
        assert torch.equal(whole(one), whole(both))


@pytest.mark.parametrize("first", [1, 2])
def test_another_number_of_processes_goes_on_from_a_checkpoint(tmp_path: Path, two: ranks.Ranks, first: int) -> None:
    class Killed(Exception):
        pass

    def kill(progress):
        if progress.step == 3:
            raise Killed

    unbroken = trainer(tmp_path / "unbroken")
    unbroken.run()
    teams = [ALONE, two]
    with pytest.raises(Killed):
        trainer(tmp_path, teams[first - 1]).run(on_step=kill)
    resumed = trainer(tmp_path, teams[2 - first])
    assert resumed.progress.step == 2
    resumed.run()
    assert torch.equal(whole(unbroken), whole(resumed))


def squared_noise(tmp_path: Path, team: Alone, units: list[int], twice: bool) -> tuple[float, int]:
    """Sum of the squares of what is released less the clean sum, in standard deviations, and of how many numbers."""
    clip, noise = 0.3, 2.0
    clean = released(trainer(tmp_path / "clean", noise_multiplier=NOISELESS, max_grad_norm=clip), units)
    made = trainer(tmp_path / "noisy", team, noise_multiplier=noise, max_grad_norm=clip, privacy_seed=None)
    if twice:  # as if the other process had added noise to its sum too

        def gather(sums):
            team.gather(sums)
            for part in sums:
                part += (torch.randn(part.shape) * noise * 2**32).round().long()

        made.optimizer.gather = gather
    standard = (released(made, units) - clean) * 4 / (noise * clip)
    return float((standard**2).sum()), len(standard)


@pytest.mark.parametrize("units", [[], list(range(12))])
def test_noise_is_added_once_and_noise_of_each_process_would_be_seen(
    tmp_path: Path, two: ranks.Ranks, units: list[int]
) -> None:
    total, count = squared_noise(tmp_path, two, units, twice=False)
    low, high = chi2.ppf([1e-6, 1 - 1e-6], count)
    assert low < total < high
    assert squared_noise(tmp_path / "twice", two, units, twice=True)[0] > high  # the positive control


def test_a_unit_is_never_split_and_each_is_summed_once(tmp_path: Path, two: ranks.Ranks) -> None:
    data = examples(24, units=4)
    made = trainer(tmp_path, two, data, tokens_per_micro_batch=1, noise_multiplier=NOISELESS, max_grad_norm=0.1)
    alone = trainer(tmp_path / "alone", data=data, noise_multiplier=NOISELESS, max_grad_norm=0.1)
    assert torch.equal(released(made, [0, 1, 2, 3]), released(alone, [0, 1, 2, 3]))
    assert not two.busy and 0 < two.own < 4
    two.awaited = 5  # a batch of five of which four came back
    with refused("methods.units_lost", value=2):
        two.own = 4
        two.send(ranks.Step(0, [[]]), 1)
        two.weights(made.parameters)
        two.gather([torch.zeros_like(p, dtype=torch.int64) for p in made.parameters])


def test_work_is_dealt_out_evenly() -> None:
    class Told(ranks.Ranks):
        def __init__(self, split: bool):
            self.size, self.busy, self.split, self.sent = 3, False, split, {}

        def send(self, message, rank):
            self.sent[rank] = message.groups

        def weights(self, parameters):
            pass

    team, groups = Told(split=False), [[[place]] for place in range(6)]
    own = [groups[place] for place in team.share(0, groups, [8, 1, 4, 4, 5, 2], [])]
    assert sorted([own, *team.sent.values()]) == [[[[0]]], [[[1]], [[4]], [[5]]], [[[2]], [[3]]]]  # 8 tokens each
    side_by_side = Told(split=True)
    assert side_by_side.share(0, groups[:4], [8, 1, 4, 5], []) == [0, 1]
    assert side_by_side.sent == {1: [[[3]], []], 2: [[[2]], []]}  # as many each, and like costs at a time
    assert (side_by_side.own, side_by_side.awaited) == (2, 4)
    side_by_side.busy = False
    assert side_by_side.share(0, [], [], []) == [None] and side_by_side.sent == {1: [[]], 2: [[]]}


def test_processes_that_compute_otherwise_are_refused(tmp_path: Path) -> None:
    """Another model stands for a card of another kind; here the second process is a thread."""

    def other() -> None:
        with pytest.raises(DoppelError):
            rank.serve(ranks.Ranks(tmp_path, 1, 2), net(llama(seed=1)))

    thread = threading.Thread(target=other)
    thread.start()
    team = ranks.Ranks(tmp_path, 0, 2)
    with refused("methods.ranks_differ", name="processes"):
        trainer(tmp_path, team)
    thread.join(10)
    assert not thread.is_alive()


def test_an_interrupted_step_is_not_mixed_up_with_the_next(tmp_path: Path, two: ranks.Ranks, monkeypatch) -> None:
    monkeypatch.setattr(two, "close", lambda: None)
    two.busy = True
    with refused("methods.step_interrupted", value=2):
        two.share(0, [], [], [])
    two.busy = False


@pytest.mark.parametrize("how", ["killed", "an error"])
def test_a_process_that_dies_ends_all_and_says_no_private_word(
    tmp_path: Path, folder: Path, two: ranks.Ranks, how: str
) -> None:
    if not two.processes:
        two, _ = launch.start(GIVEN | {"model": str(folder)})
    gone = two.processes[0]
    data = examples()
    made = trainer(tmp_path, two, data, tokens_per_micro_batch=1)
    if how == "killed":
        os.kill(gone.pid, signal.SIGKILL)
    else:  # a token that the model does not have
        made.by_unit = {unit: [Example([1], [7_654_321, 2], unit)] for unit in range(12)}
        two.share = lambda step, groups, costs, parameters: (
            type(two).share(two, step, groups, [1] * len(groups), parameters) and [None]
        )
    with refused("methods.rank_died", name="processes", value=2) as caught:
        made.step(list(range(12)))
    assert gone.poll() is not None and not two.processes
    assert "7654321" not in str(caught.value)
    assert ("IndexError" in str(caught.value)) == (how != "killed")


def test_a_process_that_ends_before_it_has_loaded_the_model_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / ranks.TOLD.format(1)).write_text("DoppelError: unknown model")  # as test_rank.py has it written
    with refused("methods.rank_died", name="processes", value=2) as caught:
        ranks.Ranks(tmp_path, 0, 2, [subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])])
    assert "unknown model" in str(caught.value)


def test_where_bfloat16_is_not_safe_in_one_process_all_compute_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [True, False]  # of the first process to ask, and of the other, which is a thread here
    monkeypatch.setattr(gradients, "rows_are_independent", lambda *given, **named: answers.pop())
    models = [net(llama().to(torch.bfloat16)) for _ in range(2)]

    def other() -> None:
        with pytest.raises(DoppelError):  # the first one is gone
            rank.serve(ranks.Ranks(tmp_path, 1, 2), models[1])

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    settings = Settings(1.0, steps=1, expected_batch=4, privacy_seed=0)
    made = Trainer(models[0], examples(), settings, tmp_path / "checkpoint.pt", ranks.Ranks(tmp_path, 0, 2))
    made.step([0, 1, 2, 3])
    assert not answers and {p.dtype for model in models for p in model.parameters()} == {torch.float32}
