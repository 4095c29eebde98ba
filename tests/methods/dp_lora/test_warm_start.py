"""A warm start: it learns from public texts alone, whose arm must not have seen a private record."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support.audit_toys import CELLS, TINY, TRAINING, arm, corpus
from support.errors import refused

from lib.common.files import sha256
from lib.data import records
from lib.methods.dp_lora import audit, warm_start
from lib.methods.dp_lora.settings import Settings
from lib.methods.dp_lora.trainer import Trainer
from lib.models import loading
from lib.models.examples import encode_all
from lib.models.losses import held_out_losses
from lib.models.prompt import Prompt
from lib.privacy.accounting import DiscreteGaussian, Gaussian, NonPrivate
from lib.privacy.ledger import Event, Ledger

CORPUS = "00_process_data"
COUNTS = Event(CORPUS, "label counts", DiscreteGaussian(5.0))
GIVEN = TRAINING | {"warm_steps": 30, "warm_batch": 100.0, "warm_learning_rate": 0.02}


def stage(run: Path, name: str, events: list[Event]) -> Path:
    """A finished stage, as far as its ledger and its texts."""
    folder = run / name
    folder.mkdir()
    made = run / CORPUS / "privacy.json"
    ancestors = {CORPUS: sha256(made)} if made.is_file() else {}
    statement = Ledger("record", 40, events=events, ancestors=ancestors).statement(name)
    (folder / "privacy.json").write_text(json.dumps(statement))
    records.write(folder / "synthetic.jsonl", corpus(8))
    return folder


def test_texts_of_an_arm_that_saw_private_records_are_refused(tmp_path: Path) -> None:
    private = stage(tmp_path, CORPUS, [COUNTS])
    floor = stage(tmp_path, "11_generate.base", [COUNTS])
    assert len(warm_start.read(floor, private)) == 8
    for number, mechanism in enumerate((Gaussian(1.0, 0.1, 5), NonPrivate(), DiscreteGaussian(9.0))):
        seen = stage(tmp_path, f"11_generate.{number}", [COUNTS, Event("10_finetune_dp_lora.x", "learned", mechanism)])
        with refused("methods.warm_start_saw_records", name="warm", value=seen.name):
            warm_start.read(seen, private)
    other = stage(tmp_path, "11_generate.counts", [Event(CORPUS, "label counts", DiscreteGaussian(4.0))])
    (other / "privacy.json").write_text(
        (other / "privacy.json").read_text().replace(sha256(private / "privacy.json"), "0" * 64)
    )
    with refused("privacy.ancestor_differs"):  # the counts were drawn twice
        warm_start.read(other, private)


def adapted(frozen_a: bool = False) -> torch.nn.Module:
    return audit._adapted(GIVEN | {"frozen_a": frozen_a})


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
        trained = audit.retrain(audited, train, ledger, folder, lambda progress: None, asked=asked, cells=CELLS)
        known[warm_steps] = trained.known
        assert len(ledger.events) == 1
    assert not np.allclose(known[0].nats, known[3].nats)
