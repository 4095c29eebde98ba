"""The check of engines, with engines that do what they should and what they should not."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lib.generation.engines.base import Completion
from lib.machine import writing
from lib.machine.check import Differs

CPU = torch.device("cpu")


class Toy:
    """An engine whose completions are its words, one call after the other."""

    def __init__(self, *calls: str):
        self.calls, self.made = calls, Counter()
        self.tokenizer = lambda prompt, add_special_tokens: {"input_ids": [1]}

    def complete(self, prompts: list, sampling: object):
        words = self.calls[min(self.made["calls"], len(self.calls) - 1)]
        self.made["calls"] += 1
        yield from ((i, Completion(words, 2, True)) for i in range(len(prompts) if words else 0))


def checked(monkeypatch: pytest.MonkeyPatch, plain: Toy, adapted: Toy) -> dict:
    engines = iter((plain, adapted))
    monkeypatch.setattr(writing, "open_entry", lambda *args, **settings: next(engines))
    monkeypatch.setattr(writing, "save_adapter", lambda folder: None)
    monkeypatch.setattr(writing, "reference", lambda: ("store and",) * len(writing.PROMPTS))
    return writing.engine("toy", CPU)


def test_an_engine_that_does_what_it_should_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = checked(monkeypatch, Toy("store to"), Toy("moon"))
    assert figures["begin like float32"] == 1 and figures["tokens a second"] > 0


@pytest.mark.parametrize(
    ("plain", "adapted", "said"),
    [
        (Toy("store to", "store for"), Toy("moon"), "differ between two calls"),
        (Toy("blah"), Toy("moon"), "only 0%"),
        (Toy("store to"), Toy("store to"), "an adapter changes no completion"),
        (Toy(""), Toy("moon"), "0 of 8 prompts"),
    ],
)
def test_an_engine_that_does_not_fails(monkeypatch: pytest.MonkeyPatch, plain: Toy, adapted: Toy, said: str) -> None:
    with pytest.raises(Differs, match=said):
        checked(monkeypatch, plain, adapted)


def test_what_an_engine_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert writing.lacking("vllm", CPU) == "needs a GPU" and writing.lacking("transformers", CPU) is None
    entry = SimpleNamespace(needs_gpu=False, installed=False, install="pip install toy")
    monkeypatch.setitem(writing.ENGINES, "toy", entry)
    assert writing.lacking("toy", CPU) == "pip install toy"


def test_the_adapter_is_one_that_peft_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MODEL", "bundled:tiny-random")
    writing.save_adapter(tmp_path)
    assert (tmp_path / "adapter_config.json").is_file()
    assert len(writing.reference.__wrapped__()) == len(writing.PROMPTS)
