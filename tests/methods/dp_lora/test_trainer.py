"""DP-SGD on adapters: against a loop over single examples, statistics of the noise, and resumed runs."""

from collections.abc import Callable

import pytest
import torch
from scipy.stats import chi2
from support.errors import refused
from support.lora_toys import adapted, examples, tiny
from transformers import GPT2Config, GPT2LMHeadModel

from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models.examples import Example

NOISELESS = 1e-12  # a noise multiplier that leaves nothing but the clipping to see


def make_trainer(tmp_path, model=None, data=None, **changes) -> Trainer:
    settings = {"noise_multiplier": 1.0, "steps": 6, "expected_batch": 4, "checkpoint_every": 2, "privacy_seed": 5}
    return Trainer(model or tiny(), data or examples(), Settings(**settings | changes), tmp_path / "checkpoint.pt")


def gradients_of_next_step(trainer: Trainer, units: list[int]) -> torch.Tensor:
    """What the optimizer is handed for a batch, as one flat vector."""
    seen = []
    trainer.adam.register_step_pre_hook(
        lambda *_: seen.append(torch.cat([p.grad.flatten() for p in trainer.parameters]))
    )
    trainer.step(units)
    return seen[0]


def loop_gradient(model: torch.nn.Module, data: list[Example]) -> torch.Tensor:
    """Gradient of the summed mean losses, an example at a time through the plain model: the oracle."""
    model.zero_grad()
    for e in data:
        ids = torch.tensor([[*e.prompt, *e.completion]])
        logits = model(input_ids=ids).logits[0, len(e.prompt) - 1 : -1]
        torch.nn.functional.cross_entropy(logits, torch.tensor(e.completion)).backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad])
    model.zero_grad()
    return gradient


@pytest.mark.parametrize("tokens", [1, 30, 10_000])  # one example a micro-batch, a few, all
@pytest.mark.parametrize("clip", [0.1, 1e3])
def test_clipped_sums_equal_a_loop_over_single_examples(tmp_path, tokens, clip):
    data = examples()
    single = [loop_gradient(tiny(), [e]) for e in data]
    assert min(g.norm() for g in single) > 0.1  # so that 0.1 clips every one
    expected = sum(g * min(1.0, clip / g.norm()) for g in single) / 4
    trainer = make_trainer(
        tmp_path, noise_multiplier=NOISELESS / clip, max_grad_norm=clip, tokens_per_micro_batch=tokens
    )
    torch.testing.assert_close(gradients_of_next_step(trainer, list(range(12))), expected, rtol=1e-4, atol=1e-5)


def test_a_user_is_clipped_as_one(tmp_path):
    data = examples(12, units=4)
    users = [[e for e in data if e.unit == unit] for unit in range(4)]
    single = [loop_gradient(tiny(), user) for user in users]
    expected = sum(g * min(1.0, 0.1 / g.norm()) for g in single) / 2
    trainer = make_trainer(tmp_path, data=data, noise_multiplier=NOISELESS, max_grad_norm=0.1, expected_batch=2)
    torch.testing.assert_close(gradients_of_next_step(trainer, [0, 1, 2, 3]), expected, rtol=1e-4, atol=1e-5)
    assert min(g.norm() for g in single) > 0.1


def test_without_privacy_the_gradient_is_the_plain_one_over_the_expected_batch(tmp_path):
    trainer = make_trainer(tmp_path, noise_multiplier=None, tokens_per_micro_batch=30)
    expected = loop_gradient(tiny(), examples()[:7]) / 4
    torch.testing.assert_close(gradients_of_next_step(trainer, list(range(7))), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("target", ["c_attn", "c_fc"])
def test_models_with_other_layers_agree_with_the_loop(tmp_path, target):
    def gpt2():
        torch.manual_seed(0)
        config = GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=50, attn_pdrop=0, resid_pdrop=0, embd_pdrop=0)
        return adapted(GPT2LMHeadModel(config), target_modules=[target], fan_in_fan_out=True)

    data = examples()
    single = [loop_gradient(gpt2(), [e]) for e in data]
    expected = sum(g * min(1.0, 0.1 / g.norm()) for g in single) / 4
    trainer = make_trainer(tmp_path, gpt2(), data, noise_multiplier=NOISELESS, max_grad_norm=0.1)
    torch.testing.assert_close(gradients_of_next_step(trainer, list(range(12))), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("units", [[], list(range(12))])
def test_noise_on_the_sum_has_the_stated_variance(tmp_path, units):
    data, clip, noise = examples(), 0.3, 2.0
    clean = gradients_of_next_step(make_trainer(tmp_path, noise_multiplier=NOISELESS, max_grad_norm=clip), units)
    trainer = make_trainer(tmp_path, data=data, noise_multiplier=noise, max_grad_norm=clip, privacy_seed=None)
    noisy = gradients_of_next_step(trainer, units)
    standard = (noisy - clean) * 4 / (noise * clip)  # divided by the expected batch, whoever came
    low, high = chi2.ppf([1e-6, 1 - 1e-6], len(standard))
    assert low < (standard**2).sum() < high
    assert abs(standard.mean()) < 5 / len(standard) ** 0.5


def test_a_gradient_that_overflows_counts_as_zero(tmp_path):
    trainer = make_trainer(tmp_path, noise_multiplier=NOISELESS)
    plain = gradients_of_next_step(trainer, [1, 2])
    with torch.no_grad():
        trainer.model.get_input_embeddings().weight[examples()[0].prompt[0]] = float("inf")
    assert torch.isfinite(plain).all()
    assert torch.isfinite(gradients_of_next_step(trainer, [0])).all()


@pytest.mark.parametrize("lora", [{"use_rslora": True}, {"lora_dropout": 0.3}, {"target_modules": "all-linear"}])
def test_other_adapters_train(tmp_path, lora):
    progress = make_trainer(tmp_path, tiny(**lora), steps=2).run()
    assert progress.step == 2


def gpt2(**config) -> torch.nn.Module:
    """A tiny GPT-2: the published configuration has dropout of its own, 0.1 in three places."""
    torch.manual_seed(0)
    small = GPT2Config(vocab_size=50, n_positions=32, n_embd=16, n_layer=2, n_head=2, **config)
    return adapted(GPT2LMHeadModel(small), target_modules=["c_attn"], fan_in_fan_out=True)


NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


def distance_of_neighbours(tmp_path, make: Callable[[], torch.nn.Module], gone: int, **changes) -> float:
    """How far a clipped sum (the expected batch is 1) moves when a unit leaves it, in clipping norms."""
    data = examples(48)
    given = {"noise_multiplier": NOISELESS, "max_grad_norm": 0.1, "expected_batch": 1, **changes}
    sums = [
        gradients_of_next_step(
            make_trainer(tmp_path, make(), data, **given), [unit for unit in range(48) if unit != left]
        )
        for left in (None, gone)
    ]
    return float((sums[0] - sums[1]).norm()) / 0.1


@pytest.mark.parametrize("make", [tiny, lambda: gpt2(**NO_DROPOUT)])
@pytest.mark.parametrize("tokens", [30, 10_000])
def test_one_unit_moves_a_clipped_sum_by_at_most_the_clipping_norm(tmp_path, make, tokens):
    for gone in (0, 20, 47):
        assert distance_of_neighbours(tmp_path, make, gone, tokens_per_micro_batch=tokens) <= 1 + 1e-4


@pytest.mark.parametrize("make", [lambda: tiny(lora_dropout=0.1), gpt2])
def test_masks_that_are_known_would_break_that_bound(tmp_path, make):
    """The positive control, and why nobody may know the masks: with an integer privacy_seed both neighbours draw the
    same masks place by place, and one unit fewer gives those behind it the masks of others."""
    assert distance_of_neighbours(tmp_path, make, 0, tokens_per_micro_batch=10_000) > 1.5


@pytest.mark.parametrize("make", [lambda: tiny(lora_dropout=0.3), gpt2])
def test_with_privacy_dropout_is_drawn_as_the_noise_is_and_without_from_the_seed(tmp_path, make):
    def gradients(**changes) -> torch.Tensor:
        return gradients_of_next_step(make_trainer(tmp_path, make(), **changes), [0, 1, 2, 3])

    private = {"noise_multiplier": NOISELESS}
    assert torch.equal(gradients(**private, seed=0), gradients(**private, seed=1))  # privacy_seed 5 fixes it
    assert not torch.allclose(gradients(**private, privacy_seed=5), gradients(**private, privacy_seed=6))
    secret = [gradients(**private, privacy_seed=None, seed=0) for _ in range(2)]
    assert not torch.allclose(*secret)
    public = [gradients(noise_multiplier=None, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(public[0], public[1]) and not torch.allclose(public[0], public[2])


def test_no_loss_is_shown_of_steps_that_a_resumed_run_would_draw_again(tmp_path):
    """A run that is killed while it evaluates keeps the steps before, and evaluates again."""
    evaluated = []

    def evaluate() -> list[float]:
        if trainer.progress.step:
            assert torch.load(trainer.checkpoint, weights_only=True)["progress"]["step"] == trainer.progress.step
        evaluated.append(trainer.progress.step)
        if evaluated == [0, 2]:
            raise KeyboardInterrupt
        return [0.5]

    trainer = make_trainer(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(evaluate)
    trainer = make_trainer(tmp_path)
    assert trainer.run(evaluate).curve == [[0, 0.5], [2, 0.5], [4, 0.5]] and evaluated == [0, 2, 2, 4]


@pytest.mark.parametrize("noise", [1.0, None])
@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_a_killed_run_ends_where_an_unbroken_one_does(tmp_path, noise, stop):
    class Killed(Exception):
        pass

    def kill(progress):
        if progress.step == stop:
            raise Killed

    lora = {"lora_dropout": 0.2}
    whole = make_trainer(tmp_path / "a", tiny(**lora), noise_multiplier=noise, schedule="linear")
    expected = whole.run()
    with pytest.raises(Killed):
        make_trainer(tmp_path / "b", tiny(**lora), noise_multiplier=noise, schedule="linear").run(on_step=kill)
    resumed = make_trainer(tmp_path / "b", tiny(**lora), noise_multiplier=noise, schedule="linear")
    assert resumed.progress.step == (stop - 1) // 2 * 2  # the last checkpoint before the kill
    assert resumed.run() == expected
    for a, b in zip(whole.parameters, resumed.parameters, strict=True):
        assert torch.equal(a, b)


def test_the_averaged_weights_are_the_mean_of_the_last_steps_also_of_a_resumed_run(tmp_path):
    iterates, evaluated = [], []

    def keep(progress):
        iterates.append(torch.cat([p.detach().flatten() for p in trainer.parameters]))

    def evaluate() -> tuple[float]:
        evaluated.append(torch.cat([p.detach().flatten() for p in trainer.parameters]))
        return (0.0,)

    trainer = make_trainer(tmp_path / "a", average_from=3)
    trainer.run(evaluate, keep)
    expected = torch.stack(iterates[2:]).mean(0)
    torch.testing.assert_close(torch.cat([p.flatten() for p in trainer.parameters]), expected)
    whole = [p.detach().clone() for p in trainer.parameters]
    torch.testing.assert_close(evaluated[1], iterates[1])  # after 2 steps there is no average yet
    torch.testing.assert_close(evaluated[2], torch.stack(iterates[2:4]).mean(0))
    plain = make_trainer(tmp_path / "plain")
    plain.run()  # averaging changes no step: the iterates are those of a training without it
    assert torch.equal(torch.cat([p.flatten() for p in plain.parameters]), iterates[-1])

    class Killed(Exception):
        pass

    def kill(progress):
        if progress.step == 5:
            raise Killed

    with pytest.raises(Killed):
        make_trainer(tmp_path / "b", average_from=3).run(on_step=kill)
    for _ in range(2):  # resumed in the middle, and after the last step
        resumed = make_trainer(tmp_path / "b", average_from=3)
        resumed.run()
        assert all(torch.equal(a, b) for a, b in zip(whole, resumed.parameters, strict=True))


def test_a_checkpoint_holds_no_generator_and_no_membership(tmp_path):
    trainer = make_trainer(tmp_path, privacy_seed=None)
    trainer.run()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert set(state) == {"parameters", "optimizer", "scheduler", "average", "progress"}
    assert set(state["progress"]) == {"step", "batch_sizes", "overlaps", "records", "tokens", "curve"}


def test_half_a_checkpoint_is_never_seen(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path)
    trainer.run()
    before = (tmp_path / "checkpoint.pt").read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))  # killed while writing
    with pytest.raises(KeyboardInterrupt):
        trainer._save()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_empty_batches_take_their_step(tmp_path):
    trainer = make_trainer(tmp_path, expected_batch=0.05, steps=8)
    before = [p.clone() for p in trainer.parameters]
    progress = trainer.run()
    assert 0 in progress.batch_sizes and len(progress.batch_sizes) == 8
    assert all(not torch.equal(a, b) for a, b in zip(before, trainer.parameters, strict=True))


def test_noise_comes_from_the_operating_system_and_not_from_torch(tmp_path, monkeypatch):
    """Words of zeros are the lowest draw, -9.16 sigma: a draw of 24-bit uniforms would end at 5.77."""
    monkeypatch.setattr("os.urandom", bytes)
    trainer = make_trainer(tmp_path, noise_multiplier=0.5, privacy_seed=None)
    noise = gradients_of_next_step(trainer, []) * 4 / 0.5  # in sigmas; the clipping norm is 1
    assert noise.unique().numpy() == pytest.approx([-9.1552934])


@pytest.mark.parametrize("expected_batch", [0, -1, 13])
def test_an_expected_batch_beyond_the_units_is_refused(tmp_path, expected_batch):
    with refused("methods.expected_batch", name="expected_batch", value=expected_batch):
        make_trainer(tmp_path, expected_batch=expected_batch)


def test_units_that_are_not_numbered_from_zero_are_refused(tmp_path):
    with refused("methods.units_with_gaps", name="examples", value=11):
        make_trainer(tmp_path, data=examples()[1:])
