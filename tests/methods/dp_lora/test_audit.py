"""A DP-LoRA arm made again with canaries: its own parameters, canaries that got in, leaks that are caught."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from support.audit_toys import TINY, TRAINING, arm, corpus, plant

from lib.audit import attack
from lib.audit.canary_set import coins
from lib.methods.dp_lora import audit, gradient_attack
from lib.methods.dp_lora import trainer as dp_lora
from lib.models import loading
from lib.models.examples import encode_all
from lib.models.prompt import Prompt
from lib.privacy.ledger import Ledger


def test_canaries_reach_the_training_with_the_arms_own_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    class Stopped(Exception):
        pass

    def trainer(model, examples, settings, checkpoint):
        seen.update(examples=examples, settings=settings, checkpoint=checkpoint)
        raise Stopped

    monkeypatch.setattr(dp_lora, "Trainer", trainer)
    planting = plant()
    train = planting.insert(corpus())
    one = arm(tmp_path, 8.0, target_epsilon=8.0, max_tokens=400)
    ledger = Ledger("record", len(train), 1e-3)
    with pytest.raises(Stopped):
        audit.retrain(one, train, ledger, tmp_path, lambda progress: None)
    for name in dp_lora.Settings.__dataclass_fields__.keys() - {"noise_multiplier"}:
        assert getattr(seen["settings"], name) == one.parameters_of("model")[name], name
    assert 0.1 < seen["settings"].noise_multiplier < 10
    tokenizer = loading.load_tokenizer(TINY)
    read = [tokenizer.decode(e.completion, skip_special_tokens=True).strip() for e in seen["examples"]]
    for canary in planting.repeated[0].canaries:
        assert read.count(canary.record.text.reveal()) == 8 * canary.included


def test_training_without_noise_is_caught_and_scores_that_say_nothing_are_not(tmp_path: Path) -> None:
    planting = plant(6, {40: 4})
    train = planting.insert(corpus())
    ledger = Ledger("record", len(train), 1e-3)
    asked = [canary.record for canary in planting.everyone]
    one = arm(tmp_path, steps=60, max_tokens=40)
    trained = audit.retrain(one, train, ledger, tmp_path, lambda progress: None, asked=asked)
    assert [event.mechanism.__class__.__name__ for event in ledger.events] == ["NonPrivate"]
    after = trained.nats(asked)
    group = planting.repeated[0]
    with trained.model.disable_adapter():
        np.testing.assert_allclose(trained.known.nats, trained.nats(asked), rtol=1e-4)
    caught = planting.relative(trained.known.nats - after)[40]
    assert attack.repeated_control("loss against base", caught, group).passed
    untouched = attack.repeated_control("loss", np.zeros(4), group)
    assert not untouched.passed and "must be above 0.8" in untouched.shown


def test_a_gradient_is_that_of_the_example_alone_and_clipped() -> None:
    net = audit._adapted(TRAINING)
    for parameter in net.parameters():
        if parameter.requires_grad:  # as in a training that has begun: both matrices have a gradient
            torch.nn.init.normal_(parameter, std=0.05, generator=torch.Generator().manual_seed(parameter.numel()))
    asked = [canary.record for canary in plant().everyone[:5]]
    tokenizer, template = loading.load_tokenizer(TINY), Prompt("{mood}:", False)
    examples, _ = encode_all(asked, tokenizer, template, max_tokens=48, unit="record")
    found, nats = gradient_attack.of_examples(net, examples, max_grad_norm=0.1)
    for example, row, loss in zip(examples, found.float(), nats, strict=True):
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
    assert found.float().norm(dim=1) == pytest.approx(0.1, rel=1e-2)  # all of these are longer


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
    found, of_others = gradient_attack.scores(gradient_attack.products(known, known), seen)[:, :40]
    assert attack.auc(found, inside.numpy()).value > 0.95
    assert attack.auc(of_others, inside.numpy()).value < 0.05
    naive = (canaries @ released).numpy()  # what all records share drowns it
    assert attack.auc(naive, inside.numpy()).value < 0.8


def test_products_of_gradients_are_those_of_the_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    one, other = torch.randn(5, 70, generator=rng).half(), torch.randn(3, 70, generator=rng)
    monkeypatch.setattr(gradient_attack, "COLUMNS_AT_ONCE", 32)
    np.testing.assert_allclose(
        gradient_attack.products(one, other), (one.double() @ other.double().T).numpy(), rtol=1e-5
    )


def test_scores_of_steps_are_compared_step_by_step_and_one_loud_step_tells() -> None:
    planting = plant(30, {5: 2})
    rng = np.random.default_rng(0)
    quiet = rng.normal(0, 1, (3, len(planting.everyone)))
    quiet[1] = 100 * quiet[1] + 7  # another unit at another step: it does not drown the others
    np.testing.assert_allclose(planting.relative(quiet[:1])[1], planting.relative(quiet[0])[1])
    loud = quiet.copy()
    loud[2, 4] += 50  # the fifth single canary joined the last step
    before, after = planting.relative(quiet)[1], planting.relative(loud)[1]
    assert np.argmax(after) == 4 and np.delete(after, 4) == pytest.approx(np.delete(before, 4))
    assert after[4] == pytest.approx(planting.relative(loud[2])[1][4] - np.log(3), abs=0.1)  # no mean over its steps


def test_released_gradients_give_repeated_canaries_away_without_noise_and_not_with_it(tmp_path: Path) -> None:
    planting = plant(6, {20: 24})
    train, background = planting.insert(corpus()), corpus(30)
    inside, found, known, starts = coins(planting.repeated[0].canaries), {}, {}, []
    for name, noise in (("without", None), ("with", 0.5)):
        one = arm(tmp_path, steps=1, target_epsilon=noise, expected_batch=200.0, max_tokens=60)
        trained = audit.retrain(
            one, train, Ledger("record", len(train), 1e-3), tmp_path / name, lambda progress: None,
            asked=[c.record for c in planting.everyone], background=background, shared=known,
        )  # fmt: skip
        starts.append(trained.known)
        found[name] = attack.auc(planting.relative(trained.gradient_scores())[20], inside).value
    assert starts[0] is starts[1]  # both start from the same adapters: computed once
    assert found["without"] > 0.9 and found["with"] < 0.85


def test_what_steps_released_is_kept_for_a_training_that_goes_on(tmp_path: Path) -> None:
    train, asked = corpus(), [canary.record for canary in plant().everyone[:4]]

    def trained(on_step: Callable[[dp_lora.Progress], None] = lambda progress: None) -> audit.Retrained:
        ledger, one = Ledger("record", len(train), 1e-3), arm(tmp_path, steps=3, expected_batch=8.0, checkpoint_every=1)
        return audit.retrain(one, train, ledger, tmp_path, on_step, asked=asked)

    def stop(progress: dp_lora.Progress) -> None:
        if progress.step == 3:  # before its checkpoint
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(stop)
    first = np.load(tmp_path / audit.RELEASED)[:, :2]
    resumed = trained()
    assert np.array_equal(resumed.released[:, :2], first) and resumed.gradient_scores().shape == (3, 4)
    assert (np.abs(resumed.released).sum(axis=0) > 0).all()
