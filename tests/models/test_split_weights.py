"""Weights that processes hold together. What they compute is tested in tests/methods/dp_lora/test_launch.py."""

from datetime import timedelta
from pathlib import Path

import pytest
import torch
from support.errors import refused
from support.lora_toys import llama
from torch import distributed
from transformers import GPT2Config, GPT2LMHeadModel

from lib.models import split_weights

CPU = torch.device("cpu")


@pytest.fixture
def joined(tmp_path: Path) -> None:
    """A group of this process alone, which holds all of a model in one part."""
    split_weights.join(distributed.FileStore(str(tmp_path / "store"), 1), 0, 1, CPU, timedelta(minutes=1))
    yield
    split_weights.leave(together=True)
    assert not distributed.is_initialized()


def test_a_model_that_is_loaded_whole_is_not_split() -> None:
    assert not split_weights.is_split(llama())
    split_weights.leave(together=True)  # of no group: nothing happens


def test_a_model_of_another_kind_is_refused_before_its_weights_are_read(tmp_path: Path, joined: None) -> None:
    GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=50)).save_pretrained(tmp_path)
    with refused("models.not_split", name="model", value=str(tmp_path)):
        split_weights.load(str(tmp_path), dtype="float32", device="cpu", size=1)


def test_processors_beside_a_card_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: None)
    split_weights.check(CPU)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    split_weights.check(torch.device("cuda"))
    with refused("models.split_on_processors", name="split_weights"):
        split_weights.check(CPU)
