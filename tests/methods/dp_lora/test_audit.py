"""A DP-LoRA arm made again with canaries: its own parameters, canaries that got in, leaks that are caught."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.audit_toys import TINY, arm, corpus, plant
from support.errors import refused

from lib.audit import attack
from lib.audit.canary_set import coins
from lib.audit.canary_texts import personal_facts
from lib.audit.prefixed import PrefixedCorpus
from lib.audit.target import Bars
from lib.methods.dp_lora import audit, contrast, trainer
from lib.methods.dp_lora.settings import Settings
from lib.models import loading
from lib.privacy.ledger import Ledger


def no_bars(what: str, many: int) -> Callable[[int], object]:
    return lambda done: None


def test_canaries_reach_the_training_with_the_arms_own_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    class Stopped(Exception):
        pass

    def stopped(model, examples, settings, checkpoint, ranks):
        seen.update(examples=examples, settings=settings, checkpoint=checkpoint)
        raise Stopped

    monkeypatch.setattr(trainer, "Trainer", stopped)
    planting = plant()
    train = planting.insert(corpus())
    audited = arm(tmp_path, 8.0, target_epsilon=8.0, max_tokens=400)
    ledger = Ledger("record", len(train), 1e-3)
    with pytest.raises(Stopped):
        audit.retrain(audited, train, ledger, tmp_path, no_bars)
    for name in Settings.__dataclass_fields__.keys() - {"noise_multiplier"}:
        assert getattr(seen["settings"], name) == audited.parameters_of("model")[name], name
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
    trained = audit.retrain(arm(tmp_path, steps=60, max_tokens=40), train, ledger, tmp_path, no_bars, asked=asked)
    assert [event.mechanism.__class__.__name__ for event in ledger.events] == ["NonPrivate"]
    after = trained.nats(asked)
    group = planting.repeated[0]
    with trained.model.disable_adapter():
        np.testing.assert_allclose(trained.known.nats, trained.nats(asked), rtol=1e-4)
    caught = planting.relative(trained.known.nats - after)[40]
    assert attack.repeated_control("loss against base", caught, group).passed
    untouched = attack.repeated_control("loss", np.zeros(4), group)
    assert not untouched.passed and "must be above 0.8" in untouched.shown


def test_released_gradients_give_repeated_canaries_away_without_noise_and_not_with_it(tmp_path: Path) -> None:
    planting = plant(6, {20: 24})
    train, background = planting.insert(corpus()), corpus(30)
    inside, reached, shared, starts = coins(planting.repeated[0].canaries), {}, {}, []
    for name, noise in (("without", None), ("with", 0.5)):
        audited = arm(tmp_path, steps=1, target_epsilon=noise, expected_batch=200.0, max_tokens=60, privacy_seed=0)
        trained = audit.retrain(
            audited, train, Ledger("record", len(train), 1e-3), tmp_path / name, no_bars,
            asked=[c.record for c in planting.everyone], background=background, shared=shared,
        )  # fmt: skip
        starts.append(trained.known)
        reached[name] = attack.auc(planting.relative(trained.gradient_scores())[20], inside).value
    assert starts[0] is starts[1]  # both start from the same adapters: computed once
    assert reached["without"] > 0.9 and reached["with"] < 0.85


def test_a_corpus_with_a_prefix_and_no_canaries_gives_texts_and_no_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(audit, "write", lambda *_: ["a text"])
    monkeypatch.setattr(PrefixedCorpus, "ledger", lambda *_: Ledger("record", 40, 1e-3))
    monkeypatch.setattr(contrast, "encode_all", _noting(contrast.encode_all, seen))
    (tmp_path / "label_histogram.json").write_text('{"cells": [{}]}')
    (fact,) = personal_facts(1, seed=0)
    begun = PrefixedCorpus(tmp_path, corpus(), canary=fact, share=0.5)
    made = audit.make_again(arm(tmp_path, steps=1, expected_batch=8.0), begun, tmp_path, lambda *_: lambda *_: None)
    assert (made.texts, made.scores, made.single) == (["a text"], {}, {})
    assert sum(text.startswith(fact.text.reveal()) for text in seen) == 20


def _noting(encode: Callable, seen: list[str]) -> Callable:
    def encoded(records, *given, **named):
        seen.extend(record.text.reveal() for record in records)
        return encode(records, *given, **named)

    return encoded


def test_batches_that_are_not_poisson_samples_get_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer.Trainer, "_draw", lambda self, step: list(range(8)))  # the same batch in every step
    train, audited = corpus(), arm(tmp_path, steps=12, expected_batch=8.0, max_tokens=8)
    ledger = Ledger("record", len(train), 1e-3)
    with refused("privacy.not_poisson"):
        audit.retrain(audited, train, ledger, tmp_path, no_bars)
    assert not ledger.events


def test_what_steps_released_is_kept_for_a_training_that_goes_on(tmp_path: Path) -> None:
    train, asked = corpus(), [canary.record for canary in plant().everyone[:4]]

    def trained(bars: Bars = no_bars) -> audit.Retrained:
        audited = arm(tmp_path, steps=3, expected_batch=8.0, checkpoint_every=1)
        return audit.retrain(audited, train, Ledger("record", len(train), 1e-3), tmp_path, bars, asked=asked)

    done = Counter()

    def stopping(what: str, many: int) -> Callable[[int], object]:
        assert many == {"canaries": 4, "steps": 3}[what.split()[-1]]

        def update(n: int) -> None:
            done[what.split()[-1]] += n
            if done["steps"] == 3:  # before its checkpoint
                raise KeyboardInterrupt

        return update

    with pytest.raises(KeyboardInterrupt):
        trained(stopping)
    assert done == {"canaries": 4, "steps": 3}
    first = np.load(tmp_path / audit.RELEASED)[:, :2]
    resumed = trained()
    assert np.array_equal(resumed.released[:, :2], first) and resumed.gradient_scores().shape == (3, 4)
    assert (np.abs(resumed.released).sum(axis=0) > 0).all()
