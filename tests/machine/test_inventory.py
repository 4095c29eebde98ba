"""What the machine has, as JSON and in lines, with and without cards and packages."""

import json

import pytest
import torch

from lib.machine import inventory


def test_what_is_found_is_json_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_version", lambda package: "1.2" if package == "vllm" else None)
    machine = inventory.found(torch.device("cpu"))
    assert json.loads(json.dumps(machine)) == machine
    assert machine["device"] == "cpu" and machine["torch"] == torch.__version__
    assert hasattr(torch, machine["auto_dtype"]) and machine["packages"].keys() == set(inventory.EXTRAS)
    processor, cards, _, extras = inventory.told(machine)
    assert f"{machine['cores']} cores" in processor and extras.split() == ["extras", "vllm", "1.2"]
    assert cards.endswith("none") is (not torch.cuda.is_available())


def test_cards_and_flags_are_named() -> None:
    cards = [{"name": "A100", "memory_gb": 80.0}, {"name": "T4", "memory_gb": 15.8}]
    machine = {"cpu": "x", "cores": 2, "memory_gb": 8.0, "processor_flags": [], "gpus": cards}
    machine |= {"torch": "2", "cuda": "12.4", "auto_dtype": "bfloat16", "packages": {"vllm": None}}
    lines = inventory.told(machine)
    assert "A100, 80 GB; T4, 15.8 GB" in lines[1] and "no flags known" in lines[0] and lines[3].endswith("none")


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert inventory._version("no-such-package-of-anybody") is None and inventory._version("torch")
