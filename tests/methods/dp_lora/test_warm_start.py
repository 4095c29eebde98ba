"""A warm start: the adapters learn the public texts that they are given, each behind the prompt that fits it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.audit_toys import CELLS, TINY, TRAINING, arm, corpus
from support.warm_arms import COUNTS, stage

from lib.data import records
from lib.methods.dp_lora import audit, launch, warm_start
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading
from lib.models.examples import encode_all
from lib.models.losses import held_out_losses
from lib.models.prompt import Prompt
from lib.privacy.ledger import Ledger

CORPUS = "00_process_data"
GIVEN = TRAINING | {"warm_steps": 30, "warm_batch": 100.0, "warm_learning_rate": 0.02}


def adapted(frozen_a: bool = False) -> torch.nn.Module:
    return launch.start(GIVEN | {"frozen_a": frozen_a, "processes": 1, "split_weights": False})[1]


def weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in model.parameters() if p.requires_grad]


@pytest.mark.parametrize("frozen_a", [False, True])
def test_the_texts_are_learned_and_dp_sgd_starts_from_there(tmp_path: Path, frozen_a: bool) -> None:
    tokenizer, prompt, texts = loading.load_tokenizer(TINY), Prompt("{mood}:"), corpus(8)
    examples, _ = encode_all(texts, tokenizer, prompt, max_tokens=48, unit="record")
    net, steps = adapted(frozen_a), []
    a = {name: p.detach().clone() for name, p in net.named_parameters() if ".lora_A." in name}
    before = held_out_losses(net, examples)[:, 0].sum()
    warm_start.train(net, texts, tokenizer, prompt, CELLS, GIVEN, tmp_path / "warm.pt", steps.append)
    assert held_out_losses(net, examples)[:, 0].sum() < 0.9 * before and len(steps) == 30
    assert all(torch.equal(p, a[name]) for name, p in net.named_parameters() if name in a) is frozen_a
    again = adapted(frozen_a)  # as an attempt that was killed after the warm start goes on
    warm_start.train(again, texts, tokenizer, prompt, CELLS, GIVEN, tmp_path / "warm.pt", steps.append)
    assert len(steps) == 30 and all(map(torch.equal, weights(net), weights(again)))
    started = Trainer(net, examples, Settings(1.0, steps=2, expected_batch=4), tmp_path / "training.pt")
    assert all(map(torch.equal, weights(started.model), weights(again)))


def test_an_arm_that_is_audited_gets_its_warm_start_too(tmp_path: Path) -> None:
    stage(tmp_path, "11_generate.base", [COUNTS])
    inputs = {"corpus": CORPUS, "warm": "11_generate.base"}
    asked, train = corpus(3), corpus()
    known = {}
    for warm_steps in (0, 3):
        audited = arm(tmp_path, steps=1, expected_batch=8.0, inputs=inputs, warm_steps=warm_steps)
        folder, ledger = tmp_path / f"{warm_steps}", Ledger("record", len(train), 1e-3)
        trained = audit.retrain(
            audited, train, ledger, folder, lambda what, many: lambda n: None, asked=asked, cells=CELLS
        )
        known[warm_steps] = trained.known
        assert len(ledger.events) == 1
    assert not np.allclose(known[0].nats, known[3].nats)


def test_a_text_without_the_labels_is_learned_behind_the_prompt_without_them_and_without_contrast() -> None:
    tokenizer, prompt = loading.load_tokenizer(TINY), Prompt("A {mood} note:")
    texts = [replace(one, labels=one.labels if n % 2 else {}) for n, one in enumerate(corpus(6))]
    examples = warm_start._encode(texts, tokenizer, prompt, CELLS, GIVEN | {"contrast": 1.0})
    assert [example.unit for example in examples] == [*range(6)]
    plain = tokenizer("A note:").input_ids
    assert [list(example.prompt) == plain for example in examples] == [False] * 3 + [True] * 3
    assert [example.wrong_prompt is None for example in examples] == [False] * 3 + [True] * 3
    learned = [tokenizer.decode(example.completion, skip_special_tokens=True).strip() for example in examples]
    assert learned == [text.text.reveal() for text in [*texts[1::2], *texts[::2]]]


def test_an_audit_learns_the_texts_of_a_source_from_the_folder_of_the_training(tmp_path: Path) -> None:
    audited = arm(tmp_path, warm_source="public:csv:/home/somebody/tweets.csv", warm_steps=3)
    given = audit.METHOD.as_before | dict(audited.parameters_of("model"))
    records.write(tmp_path / "10_finetune_dp_lora.a" / "warm.jsonl", corpus(5))
    assert [text.id for text in audit._warm_texts(audited, given)] == [text.id for text in corpus(5)]
    assert audit._warm_texts(audited, given | {"warm_steps": 0}) == []
